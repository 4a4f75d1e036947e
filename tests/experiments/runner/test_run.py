import hashlib
import json
import re
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from experiments import registry
from experiments.data import DataSet, Source
from experiments.runner import checkpoint, code, files, run
from experiments.runner.errors import Interrupted, NonFinite, SealError, UsageError
from experiments.runner.execute import execute
from experiments.runner.run import Run
from experiments.training import classification, seeds
from experiments.training.trainer import Trainer, accuracy, batches

FRAMEWORKS = ["minigrad", "torch"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_leaves_its_files(run_toy, framework):
    folder = run_toy("a", framework=framework, seed=7)
    config = json.loads((folder / "config.json").read_text())
    assert config["experiment"] == "toy"
    assert (config["framework"], config["seed"], config["limit"]) == (framework, 7, 200)
    assert config["settings"] == {"epochs": 3, "rates": [0.1, 0.05], "optimizer": "SGD"}
    assert {"python", "numpy", framework} <= config["versions"].keys()
    assert config["data"]["samples"] == 200
    rows = files.read_csv(folder / "history.csv")
    assert [(row["stage"], row["epoch"]) for row in rows] == [(f"rate {r}", e) for r in (0.1, 0.05) for e in (1, 2, 3)]
    assert [row["learning_rate"] for row in rows] == [0.1, 0.05, 0.05, 0.05, 0.025, 0.025]
    assert all(0 <= row["validation_accuracy"] <= 1 for row in rows)
    assert rows[0].keys() == {"stage", "epoch", "learning_rate", "loss", "validation_accuracy"}  # and no times
    times = files.read_csv(folder / "timings.csv")
    assert len(times) == 6
    assert all(row["train_seconds"] > 0 and row["evaluation_seconds"] > 0 for row in times)
    with np.load(folder / "weights.npz") as weights:
        assert weights["rate 0.1/0.weight"].shape == (12, 784)
        assert len(weights) == 8
    (counts,) = files.read_csv(folder / "counts.csv")
    assert json.loads((folder / "metrics.json").read_text())["test_accuracy"] == counts["correct"] / counts["of"]
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_further_seeds_are_trainings_like_the_first(tmp_path, toy, options):
    """Each is what a run from that seed trains; a number of seeds makes another run, and one seed none at all."""

    def train(run):
        network = partial(classification.mlp, run.fw, 784, 8, 10)
        build = partial(classification.trainer, run.fw, network, run.training_data, rate=0.1, batch_size=50)
        model = run.fit("final", build, 2, lambda model: {})
        again = seeds.fit_again(run, "final", build, 2)
        test = run.open_test("final", *again)
        seeds.keep_seeds(run, test, model, *again.values())
        run.keep(test_accuracy=run.metrics["test_accuracies"][0])

    experiment = replace(toy, train=train)
    found = {}
    for name, seed, number in (("a", 3, 2), ("b", 4, 1)):
        chosen = replace(options(seed=seed, seeds=number), out=str(tmp_path / name))
        folder = execute(experiment, chosen)
        rows = files.read_csv(folder / "history.csv")
        found[name] = {row["stage"]: row["loss"] for row in rows}, json.loads((folder / "metrics.json").read_text())
        assert run.is_done(experiment, chosen)
        assert not run.is_done(experiment, replace(chosen, seeds=5))
    (ours, metrics), (theirs, other) = found["a"], found["b"]
    assert list(ours) == ["final", "final, seed 4"]
    assert ours["final, seed 4"] == theirs["final"] != ours["final"]
    assert metrics["test_accuracies"][1:] == other["test_accuracies"]


def test_both_frameworks_give_the_same_run(run_toy):
    theirs, ours = (files.read_csv(run_toy(name, framework=name) / "history.csv") for name in ("torch", "minigrad"))
    assert [row["loss"] for row in ours] == pytest.approx([row["loss"] for row in theirs], rel=1e-5)
    for ours_row, theirs_row in zip(ours, theirs, strict=True):
        assert ours_row["validation_accuracy"] == pytest.approx(
            theirs_row["validation_accuracy"], abs=0.026
        )  # one of 40


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_compiled_steps_give_the_same_run_to_the_last_bit(run_toy, compare, optimizer):
    compare(run_toy("eager", compile=False, optimizer=optimizer), run_toy("compiled", optimizer=optimizer))


@pytest.mark.parametrize(
    ("arguments", "compiles"),
    [({}, True), ({"compile": False}, False), ({"framework": "torch"}, False)],
)
def test_minigrad_compiles_by_default(run_toy, monkeypatch, arguments, compiles):
    steps, models = [], []
    epoch = Trainer.epoch

    def watched(trainer, on_batch):
        steps.append(trainer.gradients)
        models.append(trainer.answering)
        return epoch(trainer, on_batch)

    monkeypatch.setattr(Trainer, "epoch", watched)
    run_toy("run", **arguments)
    assert all((type(thing).__name__ == "Compiled") is compiles for thing in (*steps, *models))
    assert all(step.reason is None and step.source for step in steps if compiles)
    assert all(model.reason is None for model in models if compiles)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_interrupted_and_resumed_is_as_if_nothing_had_happened(run_toy, compare, impatient, framework, optimizer):
    arguments = {"framework": framework, "optimizer": optimizer}
    whole = run_toy("whole", **arguments)
    # epochs are counted from each start: the first epoch, then the second one, then the second of the next training
    for epoch, batch, stands in [(1, 1, "the start"), (2, 2, "rate 0.1, epoch 1"), (4, 3, "rate 0.05, epoch 1")]:
        with pytest.raises(Interrupted, match=f"toy stands at {stands}"):
            run_toy("parts", impatient(epoch, batch), resume=True, **arguments)
    compare(whole, run_toy("parts", resume=True, **arguments))


@pytest.mark.parametrize(
    "moment", ["after the last epoch", "between two trainings", "while the state is written", "after the test"]
)
def test_it_resumes_from_every_moment(run_toy, compare, monkeypatch, moment):
    whole = run_toy("whole", framework="torch")
    with monkeypatch.context() as patch:
        stop = partial(signal.raise_signal, signal.SIGINT)
        if moment == "after the last epoch":
            patch.setattr(Run, "_finish_stage", lambda *_: stop())
        elif moment == "between two trainings":
            plain = Run._finish_stage
            patch.setattr(Run, "_finish_stage", lambda *a: (plain(*a), stop()))
        elif moment == "while the state is written":
            write, calls = np.savez, []
            patch.setattr(run, "SAVE_EVERY", 0)
            patch.setattr(np, "savez", lambda *a, **k: (calls.append(1), write(*a, **k), len(calls) == 2 and stop()))
        else:
            patch.setattr(Run, "write_results", lambda _: stop())
        with pytest.raises(Interrupted):
            run_toy("parts", framework="torch")
    folder = whole.parents[1] / "parts" / "toy"
    assert not list(folder.glob(".*"))
    assert not (folder / "metrics.json").exists()
    compare(whole, run_toy("parts", framework="torch", resume=True))


def test_checkpoints_are_written_once_in_a_while_and_at_the_end(run_toy, impatient, monkeypatch, tmp_path):
    saved = []
    save = checkpoint.save

    def noted(path, state):
        saved.append(len(state["history"]))
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", noted)
    monkeypatch.setattr(run, "SAVE_EVERY", 1e9)
    with pytest.raises(Interrupted):
        run_toy("a", impatient(5, 1), framework="torch")
    assert saved == [1, 4]  # the first epoch, and what was behind when Ctrl-C came
    (path,) = tmp_path.rglob("checkpoint.npz")
    assert len(checkpoint.load(path)["history"]) == 4
    saved.clear()
    monkeypatch.setattr(run, "SAVE_EVERY", 0)
    run_toy("b", framework="torch")
    assert saved[:3] == [1, 2, 3]


def test_resume_starts_afresh_where_there_is_nothing(run_toy, compare, capsys):
    compare(run_toy("a", framework="torch"), run_toy("b", framework="torch", resume=True))
    assert "holds no checkpoint; starting afresh" in capsys.readouterr().err


def test_resuming_a_complete_run_trains_nothing(run_toy, compare, impatient, capsys):
    folder = run_toy("a", framework="torch")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = run_toy("a", impatient(1, 1, lambda: pytest.fail("it trains")), framework="torch", resume=True)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == before
    assert "toy is complete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "seed is 0 there, 1 here"),
        ({"epochs": 4}, "settings.epochs is 3 there, 4 here"),
        ({"limit": 100}, "limit is 200 there, 100 here; data.samples is 200 there, 100 here"),
        ({"framework": "minigrad"}, "framework is 'torch' there, 'minigrad' here"),
    ],
)
def test_resume_refuses_the_checkpoint_of_another_run(toy, options, impatient, change, says):
    with pytest.raises(Interrupted):
        execute(toy, options(framework="torch"), impatient(2, 1))
    path = Path(options().out) / "toy" / "checkpoint.npz"
    before = path.read_bytes()
    with pytest.raises(UsageError, match=f"belongs to another run: {says}"):
        execute(toy, options(**{"framework": "torch", "resume": True, **change}))
    assert path.read_bytes() == before


def test_a_missing_part_of_the_checkpoint_is_named(run_toy, impatient, tmp_path):
    with pytest.raises(Interrupted):
        run_toy("a", impatient(5, 1), framework="torch")
    (weights,) = tmp_path.rglob("checkpoint.weights.npz")
    weights.unlink()
    with pytest.raises(UsageError, match=r"checkpoint\.weights\.npz can't be read .*No such file"):
        run_toy("a", framework="torch", resume=True)


def test_a_fresh_run_mentions_the_checkpoint_that_it_replaces(run_toy, impatient, capsys):
    with pytest.raises(Interrupted):
        run_toy("a", impatient(5, 1), framework="torch")
    run_toy("a", framework="torch")
    assert "holds an interrupted run; --resume would have gone on from there" in capsys.readouterr().err


def test_results_stay_whole_while_another_run_fails(run_toy, impatient):
    folder = run_toy("a", framework="torch")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if "checkpoint" not in path.name}
    with pytest.raises(Interrupted):
        run_toy("a", impatient(5, 1), framework="torch", seed=1)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if "checkpoint" not in path.name} == before


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_non_finite_loss_stops_the_run_and_leaves_the_last_good_state(run_toy, tmp_path, framework):
    with pytest.raises(NonFinite, match=r"non-finite loss \((nan|inf)\) in rate 1e\+30, epoch 1, step 2"):
        run_toy("a", framework=framework, rates=(0.1, 1e30))
    (folder,) = tmp_path.rglob("toy")
    state = checkpoint.load(folder / "checkpoint.npz")
    assert state["done"] == ["rate 0.1"]
    assert len(state["history"]) == 3
    assert {path.name for path in folder.iterdir()} == {"checkpoint.npz", "checkpoint.weights.npz"}  # and no report


def test_a_parameter_spoiled_by_the_last_step_is_noticed(run_toy, monkeypatch):
    plain = Trainer.epoch

    def epoch(self, on_batch):
        step = self.optimizer.step
        calls = []

        def spoil():
            step()
            calls.append(1)
            if len(calls) == len(self.loader):
                self.model[0].bias.detach()[3] = float("nan")

        monkeypatch.setattr(self.optimizer, "step", spoil)
        return plain(self, on_batch)

    monkeypatch.setattr(Trainer, "epoch", epoch)
    with pytest.raises(NonFinite, match=r"non-finite parameter 0\.bias in rate 0\.1, epoch 1, step 4"):
        run_toy("a", framework="torch")


class TestTestSet:
    def test_it_is_out_of_reach_until_training_is_over(self, toy, options):
        def train(run):
            run.open_test("rate 0.1", rate=0.1)

        with pytest.raises(SealError, match=r"stays sealed until rate 0\.1 is trained to the end"):
            execute(replace(toy, train=train), options(framework="torch"))

    def test_it_ends_all_training(self, toy, options):
        def train(run):
            toy.train(run)
            toy.train(run)

        with pytest.raises(SealError, match=r"rate 0\.1: the test set is open; nothing may be trained any more"):
            execute(replace(toy, train=train), options(framework="torch"))

    def test_it_cannot_judge_another_choice_after_a_resume(self, toy, options, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(Run, "write_results", lambda _: signal.raise_signal(signal.SIGINT))
            with pytest.raises(Interrupted):
                execute(toy, options(framework="torch"))

        def train(run):
            plain = run.open_test
            run.open_test = lambda stage, **choice: plain("rate 0.1", **choice)
            toy.train(run)

        with pytest.raises(SealError, match="opened for another choice"):
            execute(replace(toy, train=train), options(framework="torch", resume=True))

    def test_the_choice_names_the_final_weights(self, run_toy):
        folder = run_toy("a", framework="torch")
        choice = json.loads((folder / "choice.json").read_text())
        with np.load(folder / "weights.npz") as weights:
            final = b"".join(weights[name].tobytes() for name in weights if name.startswith("rate 0.05/"))
        assert choice == {"stage": "rate 0.05", "rate": 0.05, "weights_sha256": hashlib.sha256(final).hexdigest()}


def test_every_experiment_is_what_its_name_says():
    for name in registry.names():
        experiment = registry.find(name)
        assert experiment.name == name
        assert experiment.settings().epochs > 0
        assert callable(registry.report_of(name))
        assert hash(experiment.settings())  # frozen


class TestTestSetForCurves:
    """The test set of an experiment that declares `uses_test_each_epoch`."""

    def train(self, run, last="final"):
        def build():
            model = run.fw.nn.Linear(784, 10)
            loss = run.fw.nn.CrossEntropyLoss()
            loader = batches(run.fw, *run.training_data, size=50, shuffle=True)
            optimizer = run.fw.optim.SGD(model.parameters(), lr=0.1)
            return Trainer(model, optimizer, loader, lambda model, x, y: loss(model(x), y))

        run.fit("trial", build, 1, lambda model: {})
        inputs, labels = run.open_test("final", rate=0.1)
        model = run.fit(last, build, 2, lambda model: {"test_accuracy": accuracy(run.fw, model, inputs, labels)})
        run.keep(test_accuracy=accuracy(run.fw, model, inputs, labels))

    def test_it_opens_for_the_last_training(self, toy, options):
        folder = execute(replace(toy, train=self.train, uses_test_each_epoch=True), options(framework="torch"))
        assert json.loads((folder / "choice.json").read_text()) == {"stage": "final", "rate": 0.1}
        rows = files.read_csv(folder / "history.csv")
        assert [(row["stage"], "test_accuracy" in row) for row in rows] == [
            ("trial", False),
            ("final", True),
            ("final", True),
        ]

    def test_no_other_training_may_follow(self, toy, options):
        experiment = replace(toy, train=partial(self.train, last="another"), uses_test_each_epoch=True)
        with pytest.raises(SealError, match="another: the test set is open; nothing may be trained any more"):
            execute(experiment, options(framework="torch"))

    def test_others_do_not_get_it(self, toy, options):
        with pytest.raises(SealError, match="stays sealed until final is trained to the end"):
            execute(replace(toy, train=self.train), options(framework="torch"))

    def test_it_resumes_with_the_test_set_open(self, toy, options, impatient):
        experiment = replace(toy, train=self.train, uses_test_each_epoch=True)
        whole = execute(experiment, options(framework="torch", out=options().out + "/whole"))
        parts = partial(options, framework="torch", out=options().out + "/parts", resume=True)
        with pytest.raises(Interrupted, match="toy stands at final, epoch 1"):
            execute(experiment, parts(), impatient(3, 2))
        folder = execute(experiment, parts())
        assert (folder / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()


class TestSkipDone:
    """`--skip-done`: what is done with these settings and this code isn't run again; the rest is, or goes on."""

    @pytest.fixture
    def run_again(self, run_toy, impatient):
        """Runs the toy once more; fails if it trains, where it should be skipped."""

        def run(skips, **options):
            progress = impatient(1, 1, lambda: pytest.fail("it trains")) if skips else None
            return run_toy("a", progress, framework="torch", skip_done=True, **options)

        return run

    def other_code(self, monkeypatch):
        version = code.version()
        monkeypatch.setattr(code, "version", lambda: {**version, "code": "other"})

    def test_the_version_of_the_code_stands_beside_the_results(self, run_again):
        config = json.loads((run_again(skips=False) / "config.json").read_text())
        assert config["code"] == code.code_hash()
        assert config["commit"] is None or re.fullmatch(r"[0-9a-f]{40}(-dirty)?", config["commit"])

    def test_a_complete_run_is_skipped(self, run_again, capsys):
        folder = run_again(skips=False)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        (folder / "checkpoint.npz").unlink()  # the results alone say it, as in a fresh clone
        del before["checkpoint.npz"]
        assert {path.name: path.read_bytes() for path in run_again(skips=True).iterdir()} == before
        assert "toy is done in" in capsys.readouterr().err

    @pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 2}, {"limit": 100}, {"rates": (0.2,)}])
    def test_other_settings_run_it_again(self, run_again, change, capsys):
        run_again(skips=False)
        config = json.loads((run_again(skips=False, **change) / "config.json").read_text())
        assert {**config, **config["settings"]}.items() >= {**change, "rates": config["settings"]["rates"]}.items()
        assert "has other settings or other code; starting afresh" in capsys.readouterr().err
        run_again(skips=True, **change)

    def test_other_code_runs_it_again(self, run_again, monkeypatch):
        run_again(skips=False)
        self.other_code(monkeypatch)
        assert json.loads((run_again(skips=False) / "config.json").read_text())["code"] == "other"
        run_again(skips=True)

    def test_an_interrupted_run_goes_on(self, run_again, run_toy, impatient, compare, capsys):
        whole = run_toy("whole", framework="torch")
        with pytest.raises(Interrupted):
            run_toy("a", impatient(5, 1), framework="torch", skip_done=True)
        capsys.readouterr()
        compare(whole, run_again(skips=False))
        assert "Going on from rate 0.05, epoch 1." in capsys.readouterr().err

    def test_an_interrupted_run_of_other_code_starts_afresh(self, run_toy, run_again, impatient, monkeypatch, capsys):
        with pytest.raises(Interrupted):
            run_toy("a", impatient(5, 1), framework="torch")
        self.other_code(monkeypatch)
        run_again(skips=False)
        assert "has other settings or other code; starting afresh" in capsys.readouterr().err

    def test_resumed_with_other_code_it_counts_as_neither(self, run_toy, run_again, impatient, monkeypatch):
        with pytest.raises(Interrupted):
            run_toy("a", impatient(5, 1), framework="torch")
        self.other_code(monkeypatch)
        folder = run_toy("a", framework="torch", resume=True)
        assert json.loads((folder / "config.json").read_text())["code"] is None

    def test_results_are_not_replaced_by_those_of_stand_in_data(self, toy, options, tmp_path, monkeypatch):
        monkeypatch.setenv("MINIGRAD_DATA_DIR", str(tmp_path / "no data"))
        monkeypatch.setattr("experiments.data.own_sets", lambda: {"triples": triples})
        with pytest.raises(UsageError, match=r"--skip-done: the data of toy is missing, .*toy stays\. No such file"):
            execute(replace(toy, data="triples"), options(framework="torch", skip_done=True))

    def test_reports_are_no_part_of_the_code(self, tmp_path, monkeypatch):
        for name in ("minigrad/a.py", "experiments/toy/train.py", "experiments/toy/report.py", "experiments/cli.py"):
            files.write_text(tmp_path / name, "1")
        monkeypatch.setattr(code, "ROOT", tmp_path)
        first = code.code_hash()
        files.write_text(tmp_path / "experiments/toy/report.py", "2")
        assert code.code_hash() == first
        files.write_text(tmp_path / "experiments/toy/train.py", "2")
        assert code.code_hash() != first


triples = DataSet(
    "triples",
    "images",
    lambda root, train: (np.zeros((9, 3), np.float32), np.zeros(9, int), Source("x", "x", True, 9, "No such file")),
)
