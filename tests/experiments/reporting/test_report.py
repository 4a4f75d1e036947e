import inspect
import json
import re

import pytest

from experiments import cli
from experiments.reporting import report
from experiments.runner import files, record
from experiments.runner.errors import UsageError
from experiments.runner.record import Record


def test_the_index_lists_results_and_renders_each_report_again(toy, run_toy, tmp_path):
    folder = run_toy("out", framework="torch")
    out = folder.parent
    first = (folder / "report.md").read_text()
    files.write_json(folder / "metrics.json", {"test_accuracy": 0.1234})
    assert report.write_index(out) == ["toy"]
    page = (out / "README.md").read_text()
    assert "| [toy](toy/report.md) | none | a toy | test accuracy **12.34 %** (stand-in data) | torch |" in page
    second = (folder / "report.md").read_text()
    assert second != first
    assert "0.1234" in second


def test_a_problem_without_text_has_a_row_of_its_own(toy, run_toy):
    out = run_toy("out", framework="torch").parent
    report.write_index(out)
    row = r"^\| – \| hw3 4 \| text not available: a notebook behind a link \|"
    for page, columns in (((out / "README.md").read_text(), 6), (report.readme_table(out), 3)):
        (line,) = [line for line in page.splitlines() if re.match(row, line)]
        assert line.count("|") == columns + 1


@pytest.mark.parametrize("given", ["--seed 3 --epochs 2", "--framework torch", "--eager", "--data digits --limit 150"])
def test_the_command_that_runs_it_again_has_the_options_of_the_run(toy, compare, monkeypatch, tmp_path, given):
    assert cli.main(["run", "toy", *given.split(), "--out", str(tmp_path / "first")]) == 0
    first, again = tmp_path / "first" / "toy", tmp_path / "runs" / "toy"
    line = re.search(r"Again: `python -m experiments (.*?)`", (first / "report.md").read_text())[1]
    monkeypatch.chdir(tmp_path)
    assert cli.main(line.split()) == 0
    compare(first, again)
    assert (first / "config.json").read_bytes() == (again / "config.json").read_bytes()


def test_an_empty_folder_gets_a_page_that_says_so(toy, tmp_path):
    assert report.write_index(tmp_path) == []
    assert "No experiment has been run yet." in (tmp_path / "README.md").read_text()


def test_a_stand_in_for_the_data_is_named_at_the_top(run_toy):
    text = (run_toy("a", framework="torch") / "report.md").read_text()
    assert "> **Not the data of the assignment: the embedded UCI digits" in text
    assert "Again: `python -m experiments run toy --framework torch --limit 200`; another processor" in text
    assert "only the first 200 samples" in text


@pytest.mark.parametrize("name", [record.CONFIG, record.HISTORY, record.METRICS])
def test_a_missing_or_damaged_file_is_named(toy, run_toy, name):
    folder = run_toy("a", framework="torch")
    report_before = (folder / "report.md").read_text()
    (folder / name).unlink()
    with pytest.raises(UsageError, match=f"holds no complete run of toy: .*{name}"):
        Record.read(folder, toy)
    assert (folder / "report.md").read_text() == report_before


def test_settings_of_another_version_are_refused(toy, run_toy):
    folder = run_toy("a", framework="torch")
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["depth"] = 3
    files.write_json(folder / "config.json", config)
    with pytest.raises(UsageError, match="settings that Settings doesn't know: depth"):
        Record.read(folder, toy)


def test_links_lead_to_the_line_that_defines_the_operation(tmp_path):
    from minigrad.ops.record import registry

    link = re.fullmatch(r"\[`relu`\]\((.*)#L(\d+)\)", report.operation_link("relu", tmp_path))
    lines = (tmp_path / link[1]).read_text().splitlines()
    first = int(link[2]) - 1
    assert (
        lines[first : first + 30]
        == inspect.getsource(registry["relu"].forward).splitlines()
        + lines[first + len(inspect.getsource(registry["relu"].forward).splitlines()) : first + 30]
    )
    assert any(line.startswith("def relu(") for line in lines[first : first + 12])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("test_accuracy", 0.98345, "98.34 %"),
        ("error_rate", 0.5, "50.00 %"),
        ("learning_rate", 0.05, "0.05"),
        ("epochs", 3, "3"),
    ],
)
def test_metrics_are_shown_as_their_names_say(name, value, text):
    assert report.shown(name, value) == text


def test_the_index_shows_the_mean_over_seeds(toy, run_toy, tmp_path):
    folder = run_toy("a")
    metrics = json.loads((folder / "metrics.json").read_text())
    for rates, expected in (([0.5], " (stand"), ([0.5, 0.7], " (60.00 ± 14.14 % over 2 seeds) (stand")):
        (folder / "metrics.json").write_text(json.dumps({**metrics, "test_accuracy": 0.5, "test_accuracies": rates}))
        report.write_index(folder.parent)
        assert f"test accuracy **50.00 %**{expected}" in (folder.parent / "README.md").read_text()


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([0.98], "from one seed; `--seeds 5`"),
        ([0.97, 0.98, 0.99], "**98.00 ± 1.00 %** (mean ± standard deviation; 97.00 %, 98.00 %, 99.00 %)"),
        ([0.97, 0.98, 0.99], "the network of this report, 1.0 deviations from the mean."),
        ([0.97, 0.97], "The first is the network of this report."),
    ],
)
def test_what_other_seeds_give(rates, expected):
    assert expected in report.seeds_sentence(rates)


def test_the_index_shows_what_both_frameworks_took(tmp_path):
    ours = {"seconds": 60.0, "cpu": 50.0, "megabytes": 300.0}
    theirs = {"seconds": 150.0, "cpu": 200.0, "megabytes": 1200.0}
    runs = [{"experiment": "toy", "minigrad": ours, "torch": theirs}]
    files.write_json(tmp_path / "runs.json", {"threads": 1, "jobs": 2, "epochs": None, "runs": runs})
    report.write_index(tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "| toy | 1 min 00 s | 2 min 30 s | 0.40 | 0.25 | 300 MB | 1,200 MB |" in page
    assert "| **all** | 1 min 00 s | 2 min 30 s | 0.40 | 0.25 |" in page
    assert "`python -m benchmarks runs --threads 1 --jobs 2" in page
    files.write_json(tmp_path / "runs.json", {"threads": 1, "jobs": 2, "epochs": 3, "runs": runs})
    report.write_index(tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "`python -m benchmarks runs --epochs 3 --threads 1" in page
    assert "with 3 epochs for each training instead of the full number" in page


class TestFill:
    """The text of `report.md` with its fields and tables filled in."""

    @pytest.fixture
    def fill(self, toy, run_toy, tmp_path):
        finished = Record.read(run_toy("a", framework="torch"), toy)

        def fill(text, **values):
            (tmp_path / "report.md").write_text(text)
            return report.fill(str(tmp_path / "report.py"), finished, **values)

        return fill

    def test_fields_come_from_settings_metrics_and_values(self, fill):
        text = fill("{settings.epochs} epochs, {metrics[test_accuracy]:.0%}, {share:%}, {more}", share=0.5, more="{x}")
        assert re.fullmatch(r"3 epochs, \d+ %, 50\.00 %, \{x\}", text)

    def test_a_line_stands_for_the_rows_of_a_table(self, fill):
        rows = [{"name": "a", "value": 1.0}, {"name": "b", "value": 2.0, "bold": True}, {"name": "", "value": 3.0}]
        text = fill(
            "| name | value |\n|---|---|\n@rows | {name} | {value:.1f} |\n\n@rows - {name}: {of}", rows=rows, of=9
        )
        table, bullets = text.split("\n\n")
        assert table.splitlines()[2:] == ["| a | 1.0 |", "| **b** | **2.0** |", "|  | 3.0 |"]
        assert bullets.splitlines() == ["- a: 9", "- b: 9", "- : 9"]

    def test_without_values_the_rows_are_those_of_a_table_that_the_run_kept(self, fill):
        assert re.fullmatch(r"\d+ of \d+ are right", fill("@counts {correct} of {of} are right"))

    def test_a_table_may_be_empty(self, fill):
        assert fill("before\n@counts | {correct} |\nafter", counts=[]) == "before\nafter"

    def test_a_missing_field_is_an_error(self, fill):
        with pytest.raises(KeyError, match="nothing"):
            fill("{nothing}")


@pytest.mark.parametrize(
    ("error", "missing"),
    [(KeyError("test_rates"), "'test_rates'"), (FileNotFoundError(2, "", "out/pairs.csv"), "pairs.csv")],
)
def test_a_run_that_other_code_has_recorded_keeps_its_report(toy, run_toy, monkeypatch, capsys, error, missing):
    folder = run_toy("out", framework="torch")
    before = (folder / "report.md").read_text()

    def render(*_):
        raise error

    monkeypatch.setattr(report, "render", render)
    with pytest.raises(type(error)):  # of this code's own run: an error of the report
        report.write_index(folder.parent)
    monkeypatch.setattr(report, "code_hash", lambda: "another")
    assert report.write_index(folder.parent) == ["toy"]
    assert (folder / "report.md").read_text() == before
    assert f"toy: its run has no {missing}: its report stays as it is; run it again" in capsys.readouterr().err
    assert "[toy](toy/report.md)" in (folder.parent / "README.md").read_text()
