"""`docs/your-own-experiment.md`, followed to the letter: the template becomes an experiment like any other."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments import cli, registry
from parity import cli as parity

ROOT = Path(experiments.__file__).parents[1]
GUIDE = (ROOT / "docs" / "your-own-experiment.md").read_text(encoding="utf-8")
COPY, ENTER, FILL = re.findall(r"^    ((?:cp|cd|sed) .*)$", GUIDE, re.MULTILINE)


@pytest.fixture(scope="module")
def name(tmp_path_factory):
    """The template, copied and filled in by the guide's commands in a folder like the repository."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(ROOT / "docs", root / "docs")
    (root / "experiments").mkdir()
    subprocess.run(f"{COPY} && {ENTER} && {FILL}", shell=True, cwd=root, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "__path__", [*experiments.__path__, str(root / "experiments")])
        yield COPY.rpartition("/")[2]


@pytest.fixture(scope="module")
def out(name, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert cli.main(["run", name, "--epochs", "2", "--limit", "150", "--out", str(out / "results")]) == 0
    return out


def test_it_is_in_the_list(name, capsys):
    assert cli.main(["list"]) == 0
    assert re.search(rf"^{name} +hw9 1 +64 pixels", capsys.readouterr().out, re.MULTILINE)
    assert len(registry.names()) == 14


def test_it_has_a_report_and_a_row_in_the_table(name, out):
    text = (out / "results" / name / "report.md").read_text()
    assert text.startswith(f"# {name}: 64 pixels to 10 digits, one hidden layer\n\nAssignment: hw9 1.")
    targets = set(re.findall(r"\]\(([^)#]+)", text))
    assert {"accuracy.png", "loss.png", "confusion.png"} <= targets
    assert not [target for target in targets if not (out / "results" / name / target).exists()]
    assert not re.search(r"[{}]|\b(NAME|ASSIGNMENT|TRAINS|DATA)\b", text)
    assert cli.main(["report", "--out", str(out / "results")]) == 0
    assert f"| [{name}]({name}/report.md) | hw9 1 |" in (out / "results" / "README.md").read_text()


def test_it_is_on_the_page_of_parity(name, out, capsys):
    found = out / "parity" / "gradients.json"
    assert parity.main(["gradients", name, "--limit", "150", "--json", str(found)]) == 0
    parity.main(["report", "--folder", str(found.parent)])
    networks = re.search(rf"^\| {name} \| (\d+) \|", capsys.readouterr().out, re.MULTILINE)[1]
    assert int(networks) > 0
    assert name in (found.parent / "report.html").read_text(encoding="utf-8")


def test_it_can_be_exported(name, out):
    assert cli.main(["export", name, "--out", str(out / "export")]) == 0
    script = out / "export" / name / f"{name}.py"
    command = [sys.executable, str(script), "--epochs", "1", "--limit", "150"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (out / name / "report.md").exists()


def test_every_command_of_the_guide_is_one(name):
    lines = re.findall(r"python -m (experiments|parity) ([^`#\n]*)", GUIDE)
    assert len(lines) >= 7
    parsers = {"experiments": cli.parser, "parity": parity.parser}
    for module, line in lines:
        parsers[module]().parse_args(line.split())
