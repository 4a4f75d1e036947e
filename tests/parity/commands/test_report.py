"""The page: whole, self-contained, true to what the commands found, and shown by a real browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from parity.cli import main
from parity.judge.account import accounts
from parity.show import page, summary

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FIGURES = 3


@pytest.fixture
def written(parts, trainings, tmp_path):
    (tmp_path / "runs").mkdir()
    for name, part in parts.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(part))
    for name, lines in trainings.items():
        (tmp_path / "runs" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    main(["report", "--folder", str(tmp_path)])
    return tmp_path


def test_the_page_says_the_verdict_first_and_then_the_statement(written):
    text = (written / "report.html").read_text()
    body = text[text.index("<body>") :]
    assert body.index("Nothing differs from PyTorch so far") < body.index("Same function") < body.index("<table")
    assert "12 of 13 experiments are not compared" in text
    for shown in (
        "gradients of 4 networks in float64, largest error 1e-16",
        "4 networks after an epoch in float64, largest distance of a parameter 3e-16",
        "1 of 1 networks equivalent over 12 seeds a side",
        "started one rounding away, in 0 of 1 experiments",
        "98.06 ± 0.04 % (12)",
    ):
        assert shown in text
    assert "a &lt; b" in text  # what came from elsewhere is text, not markup
    assert "LazyLinear: not in scope" in text


def test_the_summary(written):
    text = (written / "summary.md").read_text()
    assert "| mnist_mlp | 4 | 1e-16 | 3e-16 | 1 of 1 | 0.12 beside 0.15 (p 0.78) | same |" in text
    assert "passed of asked: 2 of 3 operator samples with their gradients." in text
    assert "| mnist_cnn | 0 | – | – | – | – | not compared |" in text


def test_whole_runs_have_their_time_and_memory_in_a_table_of_their_own(parts, trainings):
    side = {"seconds": 61.0, "cpu": 100.0, "megabytes": 450.0}
    runs = [{"experiment": "mnist_mlp", "minigrad": side, "torch": {**side, "seconds": 122.0}}]
    measured = {"threads": 2, "jobs": 1, "epochs": None, "runs": runs}
    found = accounts(parts, trainings)
    text = summary.markdown(found, parts, measured)
    assert "| mnist_mlp | 1 min 01 s | 2 min 02 s | 450 MB | 450 MB | 0.50 |" in text
    assert "Time and memory of the whole run" in text
    assert "1 min 01 s" in page.html(found, parts, measured)


def test_one_that_differs_decides_the_verdict(parts, trainings):
    parts["gradients"]["networks"][0].update(passed=False)
    parts["gradients"]["networks"][0]["views"][0]["wrong"] = ["gradient of 0.weight: <far>"]
    found = accounts(parts, trainings)
    assert summary.verdict(found).text == "in 1 of 13: mnist_mlp"
    text = page.html(found, parts)
    assert "Something differs from PyTorch" in text
    assert "function: final, float64: gradient of 0.weight: &lt;far&gt;" in text


def test_page_is_small_and_self_contained_and_its_figures_are_whole(written):
    text = (written / "report.html").read_text()
    assert len(text) < 3e6
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', text)
    images = re.findall(r'alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(images) == FIGURES
    for _, data in images:
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_the_same_findings_give_the_same_page(written):
    before = (written / "report.html").read_bytes()
    main(["report", "--folder", str(written)])
    assert (written / "report.html").read_bytes() == before


def test_without_findings_or_with_foreign_ones_or_nowhere_to_write(tmp_path, capsys):
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "holds no findings yet" in capsys.readouterr().err
    (tmp_path / "gradients.json").write_text("{")
    assert main(["report", "--folder", str(tmp_path)]) == 2
    assert "gradients.json: no JSON" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()
    assert main(["report", "--folder", str(tmp_path / "gradients.json")]) == 2
    assert capsys.readouterr().err.startswith("error: --folder: can't write into")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_all_figures_and_reports_no_error(written, tmp_path, width):
    probe = """<script>addEventListener("load", () => {
        document.querySelectorAll("details").forEach(d => d.open = true);
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
    assert found["shown"] == found["images"] == FIGURES
    assert found["overflow"] <= 0
    assert "CONSOLE" not in done.stderr
