"""Experiments side by side, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments import cli

NAMES = ("mnist_small_mlp", "mnist_mlp")
SMALL = ["--data", "digits", "--limit", "200"]


def test_both_are_run_and_what_they_say_is_passed_on(tmp_path, capfd):
    assert cli.main(["run", *NAMES, "--jobs", "2", *SMALL, "--epochs", "1", "--out", str(tmp_path)]) == 0
    said = capfd.readouterr().err
    for name in NAMES:
        assert (tmp_path / name / "report.md").exists()
        assert f"{name} done in" in said
        assert f"{name}: NOTE: this is not the data of the assignment" in said


def test_a_failure_is_passed_on_and_stops_no_other(tmp_path, capfd):
    (tmp_path / NAMES[0]).write_text("a file where the folder should be")
    assert cli.main(["run", *NAMES, "--jobs", "2", *SMALL, "--epochs", "1", "--out", str(tmp_path)]) == 2
    assert f"{NAMES[0]}: error: --out: can't write into" in capfd.readouterr().err
    assert (tmp_path / NAMES[1] / "report.md").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process")
def test_ctrl_c_reaches_all_and_leaves_their_checkpoints(tmp_path):
    root = str(Path(experiments.__file__).parents[1])
    command = [sys.executable, "-m", "experiments", "run", *NAMES, "--jobs", "2", *SMALL, "--epochs", "100000"]
    waiting = set(NAMES)
    with subprocess.Popen(
        [*command, "--out", str(tmp_path)], cwd=root, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            for line in process.stderr:  # until each has finished an epoch
                waiting -= {name for name in NAMES if line.startswith(name) and " epoch " in line}
                if not waiting:
                    break
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            assert process.wait(timeout=60) == 130
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert not waiting
    assert "Interrupted: 2 of 2 experiments were started. To go on: python -m experiments run" in said
    for name in NAMES:
        assert (tmp_path / name / "checkpoint.npz").exists()
        assert f"{name}: Interrupted: {name} stands at" in said
