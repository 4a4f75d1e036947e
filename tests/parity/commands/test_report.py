"""The page: whole, self-contained, true to what the commands found, and shown by a real browser."""

from __future__ import annotations

import base64
import copy
import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from parity.cli import main
from parity.judge import findings
from parity.judge.findings import Subject
from parity.show import page, summary

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WHERE = {"experiment": "mnist_mlp", "stage": "final", "data": "mnist"}
VERSIONS = {"python": "3", "numpy": "2", "torch": "2"}


def comparison(name, error):
    return {"name": name, "error": error, "passed": error < 1e-5}


def view(dtype, error, **facts):
    names = ("output", "loss", "gradient of weight")
    comparisons = [comparison(name, error) for name in names]
    facts = {"training": True, "probabilities": False, "second": False, **facts}
    return {"dtype": dtype, "name": dtype, "error": error, "skipped": "", "comparisons": comparisons, **facts}


def training(accuracy, framework, seed):
    counts = [[90, 10], [5, 95]]
    return {
        "task": {"framework": framework, "seed": seed},
        "accuracy": accuracy,
        "measured_on": "test",
        "confusion": counts,
        "classes": ["0", "1"],
        "seconds": 12.5,
        "megabytes": 300.0,
    }


def rows(shift):
    return [{"epoch": i, "loss": 1 / i, "test_accuracy": 1 - 0.1 / i + shift} for i in (1, 2, 3)]


@pytest.fixture
def parts():
    about = {"seed": 0, "limit": None, "versions": VERSIONS, "seconds": 3.0, "line": "python -m parity this"}
    network = {
        **WHERE,
        "alike": [],
        "model": "Sequential()",
        "passed": True,
        "views": [view("float64", 1e-16), view("float32", 2e-7)],
    }
    trajectory = {
        **WHERE,
        "alike": [],
        "optimizer": "SGD",
        "steps": 10,
        "ours": rows(0.0),
        "theirs": rows(0.001),
        "accuracies": ["test_accuracy"],
        "allowed": 0.3,
        "points": 0.1,
        "passed": True,
        "drift": [[1, 1e-8], [10, 1e-6], [30, 2e-4]],
        "reached": {"0.0001": 25, "0.01": None},
        "followed": 30,
        "drifted": 2e-4,
        "shown": "final",
        "points_of": {"final": 0.1},
        "outside": [],
        "itself": None,
    }
    trainings = {f: [training(0.98 + i / 1000, f, i) for i in range(3)] for f in ("minigrad", "torch")}
    test = {"difference": 0.0, "low": -0.1, "high": 0.1, "p": 0.01, "margin": 0.3, "equivalent": True}
    exams = {"family": "operators", "exam": "gradients", "asked": 3, "passed": 2, "failed": 1, "not supported": 0}
    outcome = {
        "family": "operators",
        "exam": "gradients",
        "subject": "add",
        "case": "7",
        "verdict": "failed",
        "why": "a < b",
    }
    return {
        "gradients": {**about, "command": "gradients", "networks": [network]},
        "trajectory": {
            **about,
            "command": "trajectory",
            "float64": [{**WHERE, "alike": [], "furthest": 3e-16, "passed": True, "itself": None}],
            "float32": [trajectory],
        },
        "accuracy": {
            **about,
            "command": "accuracy",
            "networks": [{**WHERE, "trainings": trainings, "equivalence": test}],
        },
        "conformance": {
            **about,
            "command": "conformance",
            "rows": [{**exams, "goal": 1.0, "met": False}],
            "outcomes": [outcome],
            "left_out": {"modules": {"LazyLinear": "not in scope"}},
        },
    }


@pytest.fixture
def written(parts, tmp_path):
    for name, part in parts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
    main(["report", "--folder", str(tmp_path)])
    return tmp_path


def test_page_shows_what_was_found(written):
    text = (written / "report.html").read_text()
    for shown in (
        "mnist_mlp: final",
        "1e-16",
        "2e-7",
        "98.10 ± 0.10 %",
        "12 s",
        "300 MB",
        "0.0001 apart: step 25",
        "never within 30 steps",
    ):
        assert shown in text
    assert "a &lt; b" in text  # what came from elsewhere is text, not markup
    assert "LazyLinear: not in scope" in text
    summary = (written / "summary.md").read_text()
    assert "| mnist_mlp | 1 | 1e-16 | 2e-7 | 3e-16 | 0.10 of 0.3 | 0 of 1 | – | – | – | – | same |" in summary
    assert "| mnist_mlp: final | 3 | 98.10 ± 0.10 % | 98.10 ± 0.10 % | +0.00 | [-0.10, +0.10] | 0.3 |" in summary
    assert "passed of asked: 2 of 3 operator samples with their gradients." in summary


def test_whole_runs_have_their_time_and_memory(written):
    side = {"seconds": 61.0, "cpu": 100.0, "megabytes": 450.0}
    runs = [{"experiment": "mnist_mlp", "minigrad": side, "torch": {**side, "seconds": 122.0}}]
    measured = {"threads": 2, "jobs": 1, "epochs": None, "runs": runs}
    found = findings.read(written)
    text = summary.markdown(findings.subjects(found), found, measured)
    assert "| 0 of 1 | 1 min 01 s | 2 min 02 s | 450 MB | 450 MB | same |" in text
    assert "of the whole run, from the start of the process to the report, 2 threads each, one at a time" in text
    assert "1 min 01 s" in page.html(findings.subjects(found), found, measured)


def test_what_differs_is_counted_beside_pytorchs_own_difference(parts, tmp_path):
    trajectory = parts["trajectory"]["float32"][0]
    trajectory.update(alike=["a", "b"], outside=["a"], points_of={"final": 0.1, "a": 0.5, "b": 0.2}, passed=False)
    trajectory.update(points=0.5, shown="a", itself=1e-3, drifted=2e-3)
    parts["trajectory"]["float64"][0].update(furthest=3e-3, passed=False, itself=4e-3)
    parts["trajectory"]["unpaired"] = [{"experiment": "mnist_mlp", "stage": "c", "why": "chose <otherwise>"}]
    (tmp_path / "trajectory.json").write_text(json.dumps(parts["trajectory"]))
    (tmp_path / "gradients.json").write_text(json.dumps(parts["gradients"]))
    parts = findings.read(tmp_path)
    (subject,) = findings.subjects(parts)
    (row,) = summary.experiments([subject], parts, None).rows
    assert row[:7] == ["mnist_mlp", "3", "1e-16", "2e-7", "3e-3", "0.50 of 0.3", "1 of 3"]
    words = "differs: an epoch in float64 (PyTorch from itself: 4e-3); differs: a run in float32; 1 without counterpart"
    assert row[-1] == words
    assert page.row(subject)[:7] == ["mnist_mlp: final (+2)", "1e-16", "2e-7", "3e-3", "4e-3", "0.50 of 0.3", "1 of 3"]
    text = " ".join(page.html([subject], parts).split())
    assert "Every network of this kind" in text
    assert "some parameter is 3e-3 from PyTorch's, and PyTorch's own, with arrays that lie otherwise" in text
    assert "mnist_mlp: c: chose &lt;otherwise&gt;" in text


def test_page_is_self_contained_and_its_figures_are_whole(written):
    text = (written / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text)
    images = re.findall(r'<img alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(images) == 7
    for _, data in images:
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_the_same_findings_give_the_same_page(written):
    before = (written / "report.html").read_bytes()
    main(["report", "--folder", str(written)])
    assert (written / "report.html").read_bytes() == before


@pytest.mark.parametrize(
    ("part", "change", "verdict"),
    [
        ("gradients", lambda p: p["networks"][0].update(passed=False), "differs: gradients"),
        ("trajectory", lambda p: p["float64"][0].update(passed=False), "differs: an epoch in float64"),
        ("trajectory", lambda p: p["float32"][0].update(passed=False), "differs: a run in float32"),
        ("accuracy", lambda p: p["networks"][0]["equivalence"].update(equivalent=False), "equivalence not shown"),
    ],
)
def test_verdicts(parts, part, change, verdict):
    assert findings.subjects(parts)[0].verdict == "same"
    changed = copy.deepcopy(parts)
    change(changed[part])
    assert findings.subjects(changed)[0].verdict == verdict


def test_what_was_not_measured_is_a_dash_and_said(parts, tmp_path):
    (tmp_path / "gradients.json").write_text(json.dumps(parts["gradients"]))
    assert main(["report", "--folder", str(tmp_path)]) == 0
    assert "Not measured yet: trajectory, accuracy, conformance." in (tmp_path / "report.html").read_text()
    assert page.row(Subject("a", "b", "mnist"))[1:-1] == ["–"] * 12


def test_the_findings_of_several_runs_are_joined(parts, tmp_path):
    trajectory = parts["trajectory"]
    (tmp_path / "trajectory-float64.json").write_text(json.dumps({**trajectory, "float32": [], "line": "first"}))
    (tmp_path / "trajectory.json").write_text(json.dumps({**trajectory, "float64": [], "line": "second"}))
    (subject,) = findings.subjects(findings.read(tmp_path))
    assert subject.epoch == trajectory["float64"][0]
    assert subject.trajectory == trajectory["float32"][0]
    assert findings.read(tmp_path)["trajectory"]["lines"] == ["first", "second"]


def test_without_findings_or_with_foreign_ones(tmp_path, capsys):
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "holds no findings yet" in capsys.readouterr().err
    (tmp_path / "accuracy.json").write_text("{")
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "accuracy.json: no JSON" in capsys.readouterr().err
    (tmp_path / "accuracy.json").write_text('{"command": "gradients"}')
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "isn't what `python -m parity accuracy" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_shows_all_figures_and_reports_no_error(written, tmp_path, width):
    probe = """<script>addEventListener("load", () => {
        const images = [...document.images];
        document.body.innerHTML = "PROBE " + JSON.stringify({
            shown: images.filter(i => i.complete && i.naturalWidth > 0 && i.getBoundingClientRect().width > 100).length,
            images: images.length, overflow: document.documentElement.scrollWidth - innerWidth}) + " END";
    });</script>"""
    tested = tmp_path / "tested.html"
    tested.write_text((written / "report.html").read_text().replace("</body>", probe + "</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--disable-quic", "--enable-logging=stderr"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *flags, tested.as_uri()], capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(re.search(r"PROBE (.*) END", done.stdout).group(1))
    assert found["shown"] == found["images"] == 7
    assert found["overflow"] <= 0
    assert "CONSOLE" not in done.stderr
