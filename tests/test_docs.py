"""The documentation: links lead somewhere, examples run, generated blocks are those of the committed results."""

import doctest
import json
import re
from pathlib import Path

import pytest

from benchmarks.report import speed
from experiments.reporting import pages, report
from parity.judge import account
from parity.show import summary

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def text(page):
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_every_linked_file_exists(page):
    links = [target for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text(page)) if "://" not in target]
    assert links or "](" not in text(page)
    assert not [target for target in links if not (ROOT / page).parent.joinpath(target).exists()]


def test_a_layer_compared_with_pytorch():
    (session,) = re.findall(r"```pycon\n(.*?)```", text("docs/parity.md"), re.DOTALL)
    example = doctest.DocTestParser().get_doctest(session, {}, "parity", "docs/parity.md", 0)
    found = doctest.DocTestRunner().run(example)
    assert found.attempted == 8
    assert not found.failed


def test_the_account_of_parity_is_that_of_the_committed_findings():
    parts, trainings = account.read(pages.RESULTS / "parity")
    found = account.accounts(parts, trainings)
    runs = pages.RESULTS / report.RUNS
    measured = json.loads(runs.read_text(encoding="utf-8")) if runs.exists() else None
    expected = summary.markdown(found, parts, measured)
    assert (pages.RESULTS / "parity" / "summary.md").read_text(encoding="utf-8") == expected, "python -m parity report"
    assert pages.block(text("docs/parity.md"), "parity") == expected.strip(), "python -m parity report"
    assert pages.block(text("README.md"), "same") == summary.in_readme(found), "python -m parity report"


def test_the_account_of_speed_is_that_of_the_committed_figures():
    results = json.loads((pages.RESULTS / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    runs = pages.RESULTS / report.RUNS
    measured = json.loads(runs.read_text(encoding="utf-8")) if runs.exists() else None
    expected = speed(results, measured).strip()
    assert pages.block(text("docs/performance.md"), "speed") == expected, "python -m benchmarks report"
