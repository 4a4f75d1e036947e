"""An exported problem runs by itself, in either framework, and gives the numbers of the experiment."""

import ast
import builtins
import dis
import json
import subprocess
import sys
from pathlib import Path
from types import CodeType

import numpy as np
import pytest

import experiments
import minigrad
from experiments import cli, registry
from experiments.export.standalone import Run
from experiments.export.write import export
from experiments.runner.machine import environment

ROOT = Path(experiments.__file__).parents[1]
ALONE = (
    "import runpy, sys; {}; sys.modules.update({}); sys.argv = {}; runpy.run_path(sys.argv[0], run_name='__main__'); {}"
)
TORCHVISION = "from parity._torchvision import import_torchvision; import_torchvision()"  # beside a torch without CUDA


def globals_used(code):
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from globals_used(inner)
    yield from (i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))


@pytest.fixture(scope="module", params=registry.names())
def exported(request, tmp_path_factory):
    return export(registry.find(request.param), tmp_path_factory.mktemp(request.param))


def test_each_is_whole(exported):
    text = exported[0].read_text()
    code = compile(text, str(exported[0]), "exec")
    known = set(dis_names(code)) | set(dir(builtins)) | {"__name__", "__module__", "__qualname__", "__annotations__"}
    class_names = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    assert sorted(set(globals_used(code)) - known - class_names) == []
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported}
    assert not [module for module in modules if module.split(".")[0] in ("experiments", "parity", "minigrad", "torch")]


def dis_names(code):
    return [i.argval for i in dis.get_instructions(code) if i.opname.startswith("STORE")]


def test_the_notebook_has_the_same_code(exported):
    script, notebook = exported
    cells = json.loads(notebook.read_text())["cells"]
    code = [ast.parse(cell["source"]).body for cell in cells if cell["cell_type"] == "code"]
    statements = [ast.dump(node) for body in code for node in body if "__future__" not in ast.unparse(node)]
    theirs = [ast.dump(node) for node in ast.parse(script.read_text()).body[2:]]
    assert statements[:-1] == theirs[:-1]
    assert code[-1][-1].value.func.id == "main"
    assert [cell["source"].startswith("#") for cell in cells if cell["cell_type"] == "markdown"][:2] == [True, True]


def test_all_that_experiments_ask_of_a_run_is_there():
    asked = {
        node.attr
        for path in Path(experiments.__file__).parent.glob("*/*.py")
        if path.parent.name not in ("runner", "export")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "run"
    }
    own = {
        n.attr
        for n in ast.walk(ast.parse(Path(Run.__init__.__code__.co_filename).read_text()))
        if isinstance(n, ast.Attribute)
    }
    assert asked
    assert sorted(name for name in asked if not hasattr(Run, name) and name not in own) == []


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Made-up digits in the files of MNIST."""
    folder = tmp_path_factory.mktemp("data") / "MNIST" / "raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, n in (("train", 60), ("t10k", 30)):
        for name, values in (
            ("images-idx3", rng.integers(0, 256, (n, 28, 28))),
            ("labels-idx1", rng.integers(0, 10, n)),
        ):
            head = np.array([0x800 + values.ndim, *values.shape], ">i4").tobytes()
            (folder / f"{part}-{name}-ubyte").write_bytes(head + values.astype(np.uint8).tobytes())
    return folder.parents[1]


@pytest.mark.parametrize("framework", ["minigrad", "torch"])
def test_it_runs_without_the_repository_and_gives_the_same_numbers(data, tmp_path, framework):
    script, _ = export(registry.find("mnist_mlp"), tmp_path)
    options = ["--epochs", "2", "--data-dir", str(data), "--framework", framework]
    if framework == "torch":
        before, missing, after = TORCHVISION, ["experiments", "parity", "minigrad"], "pass"
    else:
        before, missing, after = "pass", ["experiments", "parity"], "assert 'torch' not in sys.modules"
    command = [sys.executable, "-c", ALONE.format(before, dict.fromkeys(missing), [str(script), *options], after)]
    variables = environment(1) | {"PYTHONPATH": str(Path(minigrad.__file__).parents[1])}  # as here, for the same bits
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert cli.main(["run", "mnist_mlp", *options, "--out", str(tmp_path / "runs")]) == 0
    ours, theirs = tmp_path / "mnist_mlp", tmp_path / "runs" / "mnist_mlp"
    for name in ("history.csv", "metrics.json", "search.csv", "confusion.csv"):
        assert (ours / name).read_text() == (theirs / name).read_text(), name
    assert {path.name for path in ours.glob("*.png")} == {path.name for path in theirs.glob("*.png")}
    text, whole = ((folder / "report.md").read_text().split("\n\n", 1)[1] for folder in (ours, theirs))
    assert text.strip() in whole


def test_the_notebook_runs_and_shows_its_report(data, tmp_path, monkeypatch, capsys):
    _, notebook = export(registry.find("mnist_mlp"), tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(data)
    space = {"__name__": "__main__"}
    *cells, last = [cell["source"] for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    for source in [*cells, last.replace("main(EXPERIMENT", "0 and main(EXPERIMENT")]:
        exec(source, space)
    shown = eval(last.splitlines()[-1].replace("[]", "['--epochs', '1', '--limit', '40']"), space)
    assert "](mnist_mlp/accuracy.png)" in shown._repr_markdown_()
    assert "test accuracy: " in capsys.readouterr().out
