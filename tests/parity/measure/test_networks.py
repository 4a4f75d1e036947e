"""The collector finds what an experiment trains, without training it."""

import numpy as np
import pytest

from experiments import registry
from experiments.runner.options import Options
from parity.measure import networks


def test_every_training_of_an_experiment_is_found(pairs, monkeypatch):
    found = pairs("mnist_backprop")
    rates = (0.02, 0.05, 0.1)
    expected = [f"{activation} {rate}" for activation in ("relu", "tanh") for rate in rates]
    assert [pair.stage for pair in found] == [*expected, "final"]
    assert [pair.stage for pair in found if pair.final] == ["final"]
    assert {pair.ours.epochs for pair in found} == {50}
    ours, theirs = found[4].ours.start(), found[4].theirs.start()
    assert type(ours.model).__module__.startswith("minigrad")
    assert type(theirs.model).__module__.startswith("torch")
    assert ours.learning_rate == theirs.learning_rate == 0.05
    assert "Tanh" in str(ours.model)


def test_each_experiment_has_a_dry_run(pairs, experiment):
    for pair in pairs(experiment):
        assert pair.ours.epochs == pair.theirs.epochs > 0
        assert str(pair.ours.start().model) == str(pair.theirs.start().model)


def test_the_same_seed_gives_the_same_start(final):
    pair = final("fashion_confusion")
    for dtype, tolerance in (("float32", 2e-7), ("float64", 1e-11)):
        ours, theirs = pair.ours.start(dtype), pair.theirs.start(dtype)
        for p, q in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
            assert str(p.dtype).endswith(dtype)
            assert str(q.dtype).endswith(dtype)
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=1e-17)
        for a, b in zip(ours.loader, theirs.loader, strict=True):
            assert all((x.numpy() == y.numpy()).all() for x, y in zip(a, b, strict=True))


def test_the_choice_is_that_of_the_results(tmp_path):
    results = tmp_path / "mnist_small_mlp"
    results.mkdir()
    rows = ["stage,epoch,learning_rate,loss,validation_loss,validation_accuracy,train_loss,train_accuracy"]
    for rate, accuracy in (("0.05", 0.1), ("0.1", 0.9), ("0.2", 0.3)):
        rows.append(f"rate {rate},1,{rate},1,1,{accuracy},1,{accuracy}")
    (results / "history.csv").write_text("\n".join(rows) + "\n")
    run = networks.dry_run("mnist_small_mlp", Options(limit=100), tmp_path)
    assert run.networks["final"].start().learning_rate == 0.1


def test_what_was_kept_in_the_results_is_in_the_final_networks(tmp_path):
    results = tmp_path / "mnist_cnn"
    results.mkdir()
    grid = [(f"dropout none, weight decay {l2}", loss) for l2, loss in (("0", 0.3), ("1e-05", 0.4), ("0.001", 0.2))]
    lines = [f'"{name}",{loss},{"weight decay" if loss < 0.3 else "plain"}' for name, loss in grid]
    (results / "regularisers.csv").write_text("\n".join(["candidate,validation_loss,has", *lines]) + "\n")
    (results / "tweaks.csv").write_text("candidate,kept\nnone,\nlearning rate 0.4,1\n")
    run = networks.dry_run("mnist_cnn", Options(data="digits", limit=200), tmp_path)
    rates = {}
    for stage in ("plain", "weight decay", "batch norm"):
        trainer = run.networks[stage].start()
        rates[stage] = trainer.learning_rate, trainer.optimizer.param_groups[0]["weight_decay"]
    assert rates["plain"] == (0.2, 0)
    assert rates["weight decay"] == (0.2, 1e-3)
    assert rates["batch norm"] == (0.4, 1e-3)


def test_networks_that_start_alike_are_merged(pairs):
    found = networks.merged(pairs("mnist_mlp"), networks.objective_of)
    assert [(pair.stage, pair.alike) for pair in found] == [
        ("final", ("rate 0.05", "rate 0.1", "rate 0.2", "rate 0.4"))
    ]
    found = networks.merged(pairs("mnist_logistic"), networks.training_of)
    values = ("1e-05", "0.0001", "0.0003", "0.001", "0.003")
    swept = [f"L1 {value}, {form}" for form in ("added to the loss", "soft threshold") for value in values]
    others = [f"{penalty}, rate 0.02" for penalty in ("none", "L2 0.0001", "L2 0.001")]
    assert [pair.stage for pair in found] == ["final", *swept[1:], *others]  # the final one has L1 1e-5


def test_an_experiment_is_judged_by_what_it_tests_or_calls_final_or_by_all():
    assert networks.judged(["rate 0.1", "final"], {"rate 0.1"}) == {"rate 0.1"}
    assert networks.judged(["rate 0.1", "final, seed 0", "final, seed 1"], ()) == {"final, seed 0"}
    assert networks.judged(["squares", "cross entropy"], ()) == {"squares", "cross entropy"}


def test_trainings_that_differ_are_named(monkeypatch):
    def train(run):
        run.fit(f"in {run.fw.__name__}", lambda: pytest.fail("not built"), 1, lambda model: {})

    experiment = registry.find("mnist_mlp")
    monkeypatch.setattr(networks.DryRun, "fit", lambda run, stage, *_: run.networks.update({stage: None}))
    monkeypatch.setattr(
        networks.registry, "find", lambda name: type(experiment)(**{**vars(experiment), "train": train})
    )
    with pytest.raises(AssertionError, match=r"mnist_mlp trains \['in minigrad'\] in minigrad, but \['in torch'\]"):
        list(networks.pairs(["mnist_mlp"], Options(limit=10)))
