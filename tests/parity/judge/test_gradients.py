"""Gradients of every network, and what the comparison says where they differ."""

import dataclasses

import pytest

from minigrad import nn
from parity.judge import gradients
from parity.measure import networks
from parity.measure.gradients import VIEWS, View, compute


def test_the_networks_that_each_experiment_tests(pairs, experiment):
    for pair in networks.merged((pair for pair in pairs(experiment) if pair.final), networks.objective_of):
        report = gradients.examine(pair)
        assert report.passed, [str(c) for result in report.results for c in result.comparisons if not c.passed]


def test_everything_is_looked_at(final):
    report = gradients.examine(final("fashion_confusion"))
    layers = ("0.weight", "0.bias", "3.weight", "3.bias")
    gradients_of = [*(f"gradient of {name}" for name in layers), "gradient w.r.t. input"]
    names = [[c.name for c in result.comparisons] for result in report.results]
    first = ["loss", "output", *gradients_of]
    second = ["norm of the gradient", *(f"2nd order of {name}" for name in layers), "2nd order w.r.t. input"]
    soft = [*first, "gradient w.r.t. targets"]
    assert names == [first, first, soft, second, first, first, soft]
    assert [result.view for result in report.results] == list(VIEWS)
    assert all(c.norm > 0 for result in report.results for c in result.comparisons)
    assert report.parameters == 784 * 100 + 100 + 100 * 10 + 10
    assert report.batch == 100


def test_dropout_is_at_work_in_training_only(final):
    network = final("fashion_confusion").ours
    train, evaluation = (compute(network, View("float64", training=t))["loss"] for t in (True, False))
    assert train != evaluation


def altered(pair, change):
    """The pair, with our model changed after it is built."""

    def build():
        trainer = pair.ours.build()
        change(trainer.model)
        return trainer

    return dataclasses.replace(pair, ours=dataclasses.replace(pair.ours, build=build))


def test_a_difference_is_located(final):
    def change(model):
        model[1] = nn.LeakyReLU(1e-3)

    report = gradients.examine(altered(final("mnist_mlp"), change), [View("float64")])
    assert not report.passed
    wrong = {c.name: c for c in report.results[0].comparisons if not c.passed}
    assert len(wrong["gradient of 0.weight"].index) == 2
    assert wrong["gradient of 0.weight"].error > 1e-5


def test_nothing_but_zeros_does_not_pass(final):
    def without_loss(network):
        def build():
            trainer = network.build()
            objective = lambda model, inputs, labels: 0 * model(inputs * 0).sum()
            for parameter in trainer.model.parameters():
                parameter.data.zero_()
            return dataclasses.replace(trainer, objective=objective)

        return dataclasses.replace(network, build=build)

    pair = final("mnist_logistic")
    pair = dataclasses.replace(pair, ours=without_loss(pair.ours), theirs=without_loss(pair.theirs))
    report = gradients.examine(pair, [View("float64")])
    assert not report.passed
    assert report.as_json()["views"][0]["wrong"] == ["nothing but zeros"]


def test_a_parameter_that_is_missing_is_named(final):
    def change(model):
        model[4].bias = None

    report = gradients.examine(altered(final("mnist_mlp"), change), [View("float64")])
    (missing,) = [str(c) for c in report.results[0].comparisons if c.problem]
    assert missing == "gradient of 4.bias: missing here"


def test_objectives_without_labels_are_skipped_with_a_reason(final):
    pair = final("mnist_mlp")

    def without_labels(network):
        def build():
            trainer = network.build()
            return dataclasses.replace(trainer, objective=lambda model, inputs, labels: model(inputs).square().mean())

        return dataclasses.replace(network, build=build)

    pair = dataclasses.replace(pair, ours=without_labels(pair.ours), theirs=without_labels(pair.theirs))
    soft, plain = gradients.examine(pair, [View("float64", probabilities=True), View("float64")]).results
    assert soft.skipped == "the objective uses no targets"
    assert plain.comparisons
    assert plain.passed


def test_what_pytorch_computes_and_we_do_not_is_a_difference(final):
    pair = final("mnist_mlp")
    right = pair.ours.build

    def build():
        trainer = right()

        def objective(model, inputs, labels):
            if labels.is_floating_point():
                raise TypeError("no probabilities here")
            return trainer.objective(model, inputs, labels)

        return dataclasses.replace(trainer, objective=objective)

    pair = dataclasses.replace(pair, ours=dataclasses.replace(pair.ours, build=build))
    (result,) = gradients.examine(pair, [View("float64", probabilities=True)]).results
    assert not result.passed
    assert "no probabilities here (PyTorch's does)" in str(result.comparisons[0])


@pytest.mark.parametrize("field", ["name", "dtype", "error", "passed", "skipped", "errors", "wrong"])
def test_json_holds_every_view(final, field):
    views = gradients.examine(final("mnist_logistic"), VIEWS[:1]).as_json()["views"]
    assert [field in view for view in views] == [True]
