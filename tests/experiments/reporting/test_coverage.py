"""The page of coverage: a row for each task of the assignments, and every link leads to what it says."""

import re

import pytest

from experiments.reporting import report
from experiments.reporting.pages import RESULTS, ROOT

PAGE = report.COVERAGE.read_text(encoding="utf-8")
TEXTS = ROOT.parent / "shared" / "assignments"  # the courses' own, which are not ours to publish
TASKS = {
    "ece559-hw6": "1 (a), 1 (b), 1 (c), 2 (a), 2 (b), 3 (a), 3 (b), 3 (c), 3 (d)",
    "ee541-hw6": "1, 2, 2 (1), 2 (2), 3, 3 (a), 3 (b)",
    "ee599-hw3": "1, 1 (a), 1 (b), 1 (c), 1 (d), 1 (e), 1 (f), 1 (g), 1 (h), 1 (i), 1 (j), 1 (k), 1 (l), 1 (m), "
    "1, Report, 2, 2 (1), 2 (2), 2 (3), 3, 3 (1), 3 (2), 4",
    "hw3": "1, 1 A, 1 B, 1 C, 2 A, 2 B, 3 A, 3 B, 3 C, 3 D, 3 E, 3 F, 3 G, 4, 5 A, 5 B, 5 C",
}
SECTIONS = {part.split("\n")[0]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
ASKS = "Add|Calculate|Choose|Compute|Consider|Create|Derive|Describe|Divide|Ensure|Evaluate|Experiment|Explore|Extract|"
ASKS += (
    "Fill|Flatten|List|Load|Make|Map|Mark|Modify|Name|Omit|Optimize|Pick|Plot|Produce|Read|Record|Reduce|Repeat|Report|"
)
ASKS += "Split|Submit|Substitute|Train|Try|Use|Do not do|Do not use tf|DO NOT|Remember that|Remember to|Don’t"
NOT_ASKED = ("Use the in-lecture experiments", "Report:")


def rows(section):
    return [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("text", TASKS)
def test_each_task_has_a_row_with_an_answer_and_a_status(text):
    found = rows(SECTIONS[text])
    assert {task for task, *_ in found} - {"–"} == set(re.split(r", (?=\d)", TASKS[text]))
    for task, asked, answer, status in found:
        assert asked
        assert answer, task
        assert re.match("done|differs: |impossible: |nothing to hand in", status), task


def slugs(markdown):
    headings = re.findall(r"^#+ (.*)", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading():
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 90
    for link in links:
        file, _, anchor = link.partition("#")
        assert (RESULTS / file).exists(), link
        if anchor:
            source = ROOT / "experiments" / file
            assert anchor in slugs((RESULTS / file).read_text(encoding="utf-8")), link
            assert anchor in slugs(source.read_text(encoding="utf-8")) | {"this-run"}, link


def test_it_is_on_the_page_of_the_committed_results():
    page = (RESULTS / report.INDEX).read_text(encoding="utf-8")
    assert PAGE.strip() in page, "python -m experiments report --out results"
    for experiment in {link.split("/")[0] for link in re.findall(r"^\| \[\w+\]\(([^)]+)\)", page, re.MULTILINE)}:
        assert f"({experiment}/" in PAGE, experiment


def plain(text):
    return re.sub(r"\s+", " ", text.replace("*", "").replace("`", "").replace("\\_", "_"))


@pytest.mark.skipif(not TEXTS.exists(), reason="the texts of the assignments are not at hand")
@pytest.mark.parametrize("text", TASKS)
def test_every_sentence_that_asks_for_something_is_quoted(text):
    (path,) = [path for path in TEXTS.glob("*.txt") if path.name.startswith(text)]
    source = plain(path.read_text(encoding="utf-8"))
    quotes = [plain(quote) for quote in re.findall(r'"(.*?)"', SECTIONS[text])]
    assert not [quote for quote in quotes if quote not in source]
    sentences = re.split(r"(?<=[.?!:])\s+|(?<=\))\s(?=[A-Z])|\s-\s", source)
    asking = [s for s in sentences if re.match(rf"\W*(?:\(?\w\)|\d\.)?\s*({ASKS})\b", s) or s.endswith("?")]
    assert asking
    left = [s for s in asking if not any(q in s or s in q for q in quotes) and not s.lstrip("# ").startswith(NOT_ASKED)]
    assert left == []
