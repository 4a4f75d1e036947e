import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import experiments
from experiments import cli, registry
from experiments.runner import frameworks
from experiments.runner.errors import NonFinite, UsageError
from experiments.training.trainer import Trainer


@pytest.fixture
def fails(capsys):
    """Runs a command line that must fail, and gives what it says on stderr: one line and no traceback."""

    def run(*arguments, status=2):
        assert cli.main(arguments) == status
        out = capsys.readouterr()
        assert out.out == ""
        return out.err

    return run


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rum"], "error: no command is called 'rum'; did you mean 'run'?"),
        (["run", "mnist_backdrop"], "error: no experiment is called 'mnist_backdrop'; did you mean 'mnist_backprop'?"),
        (["run", "mnist_backprop", "--epoch", "3"], "error: no option is called '--epoch'; did you mean '--epochs'?"),
        (["run", "mnist_backprop", "--frame=torch"], "no option is called '--frame'; did you mean '--framework'?"),
        (["run", "mnist_backprop", "--framework", "pytorch"], "'pytorch'; did you mean 'torch'?"),
        (["run", "mnist_backprop", "--epochs", "0"], "--epochs: expected a positive whole number, not '0'"),
        (["run", "mnist_backprop", "--epochs", "ten"], "--epochs: expected a positive whole number, not 'ten'"),
        (["run", "mnist_backprop", "--limit", "-5"], "--limit: expected"),
        (["run", "mnist_backprop", "--seed", "-1"], "--seed: expected"),
        (["run", "mnist_backprop", "--data"], "--data: expected one argument"),
        (["run", "mnist_backprop", "-x"], "unrecognized arguments: -x"),
        (["run", "mnist_backprop", "--eager", "--compile"], "--compile: not allowed with argument --eager"),
        (["list", "--resume"], "unrecognized arguments: --resume"),
        (["run"], "error: run what? Name experiments, or all (there are: mnist_mlp"),
        (["export"], "error: export what? Name experiments, or all (there are: mnist_mlp"),
        (["export", "mnist_mpl"], "error: no experiment is called 'mnist_mpl'; did you mean 'mnist_mlp'?"),
        (["report", "--out", "no/such/folder"], "--out: there is no folder no/such/folder"),
    ],
)  # fmt: skip
def test_slips_are_named(fails, arguments, says):
    text = fails(*arguments)
    assert says in text
    assert text.count("\n") == 1


def test_data_that_does_not_exist(fails, tmp_path):
    text = fails("run", "mnist_backprop", "--data", "mnits", "--out", str(tmp_path), "--framework", "torch")
    assert "--data mnits: there is no data set 'mnits'" in text


def test_an_unwritable_folder_is_refused_before_any_work(fails, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(frameworks, "load", lambda name: pytest.fail("work has begun"))
    text = fails("run", "mnist_backprop", "--out", str(tmp_path / "file"))
    assert text.startswith(f"error: --out: can't write into {tmp_path}/file/mnist_backprop: ")


def test_a_missing_framework_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"torch is not installed: pip install -e '\.\[parity\]'"):
        frameworks.load("torch")


@pytest.mark.parametrize("package", ["matplotlib", "seaborn"])
def test_missing_plots_are_noticed_before_any_work(fails, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    text = fails("run", "mnist_backprop")
    assert text == f"error: {package} is not installed: pip install -e '.[plots]'\n"


def test_list_is_a_table(capsys):
    assert cli.main(["list"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "assignment", "trains"]
    assert rows[0].split()[:3] == ["mnist_mlp", "ece559-hw6", "2"]
    assert header.index("assignment") == rows[0].index("ece559-hw6")


def test_an_export_from_the_command_line(tmp_path, capsys):
    assert cli.main(["export", "mnist_mlp", "--out", str(tmp_path)]) == 0
    paths = [tmp_path / "mnist_mlp" / f"mnist_mlp.{ending}" for ending in ("py", "ipynb")]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    assert all(path.exists() for path in paths)


def test_a_run_from_the_command_line(toy, tmp_path, capsys):
    out = tmp_path / "results"
    arguments = ["run", "toy", "--framework", "torch", "--epochs", "2", "--limit", "100", "--out", str(out)]
    assert cli.main(arguments) == 0
    text = capsys.readouterr().err
    assert "100 samples of the embedded UCI digits" in text
    assert "this is not the data of the assignment" in text
    assert f"Report: {out}/toy/report.md" in text
    assert cli.main(["report", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}/README.md: toy\n"
    assert "[toy](toy/report.md)" in (out / "README.md").read_text()


def test_ctrl_c_says_how_to_go_on(toy, tmp_path, capsys, monkeypatch, impatient):
    arguments = ["run", "toy", "--framework", "torch", "--limit", "100", "--out", str(tmp_path)]
    monkeypatch.setattr("experiments.runner.run.Progress", lambda: impatient(epoch=5, batch=1))
    assert cli.main(arguments) == 130
    again = f"python -m experiments {' '.join(arguments)} --resume"
    assert f"Interrupted: toy stands at rate 0.05, epoch 1. To go on: {again}\n" in capsys.readouterr().err
    monkeypatch.undo()


def test_runs_go_into_runs_and_leave_the_committed_results(toy, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["run", "toy", "--framework", "torch", "--epochs", "1", "--limit", "100"]
    assert cli.main(small) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert (tmp_path / "runs" / "toy" / "report.md").exists()
    assert cli.main([*small, "--resume"]) == 0
    assert "toy is complete in runs/toy" in capsys.readouterr().err
    assert cli.main(["report"]) == 0
    assert "[toy](toy/report.md)" in (tmp_path / "runs" / "README.md").read_text()


def test_only_what_is_missing_is_run(toy, tmp_path, capsys, monkeypatch):
    """As `make results` does it."""
    monkeypatch.setattr(registry, "names", lambda: ("one", "other"))
    monkeypatch.setattr(registry, "find", lambda name: replace(toy, name=name))
    run = ["run", "--framework", "torch", "--epochs", "1", "--limit", "100", "--skip-done", "--out", str(tmp_path)]
    assert cli.main([*run, "one"]) == 0
    capsys.readouterr()
    assert cli.main([*run, "all"]) == 0
    text = capsys.readouterr().err
    assert "one is done in" in text
    assert "one done in" not in text
    assert "other done in" in text


def test_python_m_experiments(tmp_path):
    """The real thing once, as a process of its own."""
    root = Path(experiments.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error", "-m", "experiments", "rum"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no command is called 'rum'; did you mean 'run'?\n"


def test_a_run_that_diverges_says_where_and_fails(toy, tmp_path, capsys, monkeypatch):
    def epoch(self, on_batch):
        raise NonFinite("loss (nan)", step=7)

    monkeypatch.setattr(Trainer, "epoch", epoch)
    assert cli.main(["run", "toy", "--framework", "torch", "--limit", "100", "--out", str(tmp_path)]) == 1
    text = capsys.readouterr().err
    assert "error: non-finite loss (nan) in rate 0.1, epoch 1, step 7\n" in text
    assert "done" not in text
    assert list((tmp_path / "toy").iterdir()) == []
