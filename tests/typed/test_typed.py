"""What type checkers and editors make of programs that use minigrad as an installed, typed package."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import jedi
import pytest

import minigrad

HERE = Path(__file__).parent
PROGRAM, MISTAKES = HERE / "program.py", HERE / "mistakes.txt"  # pytest would import a module
PACKAGE = Path(minigrad.__file__).parent


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A folder outside of the repository with both programs, and the package as an installation has it."""
    folder = tmp_path_factory.mktemp("user")
    for path in (PROGRAM, MISTAKES):
        (folder / path.with_suffix(".py").name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "site").mkdir()
    (folder / "site" / "minigrad").symlink_to(PACKAGE)
    settings = {
        "typeCheckingMode": "standard",
        "extraPaths": ["site"],
        "pythonPath": sys.executable,
        "exclude": ["site"],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def mypy(folder):
    """The lines that it objects to, by file."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder / "cache")]
    done = subprocess.run(
        [*command, "program.py", "mistakes.py"], cwd=folder, env={"MYPYPATH": "site"}, capture_output=True, text=True
    )
    assert not done.stderr
    return {(m[1], int(m[2])): m[0] for m in re.finditer(r"^(\w+\.py):(\d+): error.*", done.stdout, re.MULTILINE)}


def pyright(folder):
    """The same of pyright."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--level", "error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {(Path(e["file"]).name, e["range"]["start"]["line"] + 1): e["message"] for e in found}


@pytest.mark.parametrize("checker", [mypy, pyright], ids=["mypy", "pyright"])
def test_a_program_is_accepted_and_each_planted_mistake_found(elsewhere, checker):
    lines = MISTAKES.read_text(encoding="utf-8").splitlines()
    planted = {("mistakes.py", n) for n, line in enumerate(lines, 1) if line.endswith("# error")}
    found = checker(elsewhere)
    assert {place: text for place, text in found.items() if place not in planted} == {}
    assert planted - found.keys() == set()


def test_the_program_runs(tmp_path):
    spec = importlib.util.spec_from_file_location("program", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    numbers = program.main(tmp_path / "model.npz")
    assert len(numbers) == 5
    assert all(number == number for number in numbers)


def test_editors_complete_the_methods_of_a_result(elsewhere):
    text = "import minigrad\nx = minigrad.randn(3)\nx.sum()."
    project = jedi.Project(elsewhere, added_sys_path=[str(elsewhere / "site")])
    names = {c.name for c in jedi.Script(text, path=elsewhere / "typed.py", project=project).complete(3, 8)}
    assert {"backward", "exp", "item", "reshape"} <= names
