"""hw3 1 and ece559-hw6 1: softmax, cross entropy and their gradients; training with other losses on MNIST."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from experiments.data import Samples, split
from experiments.registry import Experiment
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.softmax_cross_entropy import gradient_checks
from experiments.training.classification import mlp
from experiments.training.trainer import Trainer, batches, logits

CROSS_ENTROPY, SQUARES, TWICE = "cross entropy", "MSE of the softmax", "softmax twice"
LOSSES = (CROSS_ENTROPY, SQUARES, TWICE)


@dataclass(frozen=True)
class Settings:
    """The given values of the assignments, and all choices of this experiment."""

    given: tuple[float, ...] = (0.1, 0.1, 0.0, 0.4, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.1)  #: ŷ, as printed
    digit: int = 3
    confidence: float = 0.9  #: ŷ_3 in question B
    classes: int = 10
    cases: int = 1_000  #: random scores on which each derivation is checked
    example: tuple[float, ...] = (2.0, 1.0, 0.0, -1.0)  #: scores whose gradients the report prints
    example_target: tuple[float, ...] = (0.1, 0.6, 0.3, 0.0)
    sizes: tuple[float, ...] = (1, 10, 50, 80, 88, 89, 100, 104, 1_000)  #: scores for the overflow
    hidden: int = 64
    learning_rates: tuple[float, ...] = (0.1, 0.5)
    epochs: int = 5
    batch_size: int = 64
    validation: float = 1 / 6  #: this share of the training samples, the last: 10,000 of 60,000


def stage_name(loss: str, rate: float) -> str:
    """The name of a training."""
    return f"{loss}, rate {rate:g}"


def train(run: Run[Settings]) -> None:
    """Computes the answers to the questions, then trains with three losses on MNIST."""
    fw, settings = run.fw, run.settings
    given(run)
    fw.manual_seed(run.seed)
    checks = gradient_checks.checks(fw, settings.cases, settings.classes)
    run.keep_table("checks", checks)
    run.keep(largest_gradient_error=max(row[target] for row in checks for target in gradient_checks.TARGETS))
    run.keep_table("example", gradient_checks.example(fw, settings.example, settings.example_target))
    run.keep_table("confident", confident(fw, settings))
    run.keep_table("sweep", sweep(fw, [i / 200 for i in range(1, 200)], settings.classes))
    run.keep_table("overflow", overflow(fw, settings.sizes, settings.classes))
    on_mnist(run)


# ---- A: the loss of the given vector -----------------------------------------------------------------------


def given(run: Run[Settings]) -> None:
    """The loss of the printed vector, which has one entry too many, in each way to read it."""
    fw, settings = run.fw, run.settings
    printed, label = fw.tensor([settings.given], dtype=fw.float64), fw.tensor([settings.digit])
    surplus = next(
        i for i, p in enumerate(settings.given) if i != settings.digit and math.isclose(sum(settings.given) - p, 1)
    )
    mended = fw.cat([printed[:, :surplus], printed[:, surplus + 1 :]], 1)
    nll = fw.nn.functional.nll_loss
    mistaken = fw.zeros_like(printed)
    mistaken[0, 1] = 0.1  # the printed y, its missing entries taken as zeros
    readings = {
        "printed": (printed, nll(printed.log(), label)),
        "mended": (mended, nll(mended.log(), label)),
        "normalised": (printed / printed.sum(), nll((printed / printed.sum()).log(), label)),
        "counted from 1": (printed, nll(printed.log(), label - 1)),
        "printed y": (printed, -(mistaken * printed.clamp(min=1e-300).log()).sum()),
        "taken for scores": (printed, fw.nn.functional.cross_entropy(printed, label)),
    }
    rows: list[Row] = [
        {"reading": name, "entries": vector.shape[1], "sum": vector.sum().item(), "loss": loss.item()}
        for name, (vector, loss) in readings.items()
    ]
    run.keep_table("given", rows)
    uniform = fw.full((1, settings.classes), 1 / settings.classes)
    run.keep(given_loss=rows[0]["loss"], uniform_loss=nll(uniform.log(), label).item())


# ---- B: MSE against cross entropy --------------------------------------------------------------------------


def spread(fw: Any, confidence: list[float], classes: int) -> tuple[Any, Any]:
    """Rows of probabilities with `confidence` in class 0 and the rest spread evenly; and class 0 as one-hot rows."""
    p = fw.tensor(confidence, dtype=fw.float64).unsqueeze(1)
    rest = ((1 - p) / (classes - 1)).expand(-1, classes - 1)
    y = fw.zeros(len(confidence), classes, dtype=fw.float64)
    y[:, 0] = 1
    return fw.cat([p, rest], 1), y


def losses_of(fw: Any, probabilities: Any, y: Any) -> dict[str, Any]:
    """The losses in question, each summed over the samples."""
    scores_again = fw.nn.functional.cross_entropy(probabilities, y, reduction="sum")
    return {
        "cross_entropy": -(y * probabilities.log()).sum(),
        "squares": ((probabilities - y) ** 2).sum(),
        "mean_square": ((probabilities - y) ** 2).sum() / y.shape[1],
        "softmax_twice": scores_again,
    }


def gradients(fw: Any, probabilities: Any, y: Any) -> dict[str, dict[str, Any]]:
    """For each loss its gradients by the probabilities f and by the scores z, by autograd."""
    found = {}
    scores = probabilities.log().requires_grad_()
    for name in losses_of(fw, probabilities, y):
        f = scores.softmax(1)
        found[name] = dict(zip("fz", fw.autograd.grad(losses_of(fw, f, y)[name], (f, scores)), strict=True))
    return found


def confident(fw: Any, settings: Settings) -> list[Row]:
    """The gradients at the confidence of question B: a row for the true class and one for any other."""
    probabilities, y = spread(fw, [settings.confidence], settings.classes)
    found = gradients(fw, probabilities, y)
    return [
        {
            "k": name,
            "probability": probabilities[0, k].item(),
            "y": y[0, k].item(),
            **{f"{loss}_by_{what}": g[0, k].item() for loss, both in found.items() for what, g in both.items()},
        }
        for k, name in enumerate(("true", "other"))
    ]


def sweep(fw: Any, confidence: list[float], classes: int) -> list[Row]:
    """The gradients by the true class's probability and score, for each of these probabilities."""
    probabilities, y = spread(fw, confidence, classes)
    columns = {"probability": confidence}
    for loss, both in gradients(fw, probabilities, y).items():
        columns |= {f"{loss}_by_{what}": g[:, 0].tolist() for what, g in both.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


# ---- C: softmax in the loss --------------------------------------------------------------------------------


def overflow(fw: Any, sizes: tuple[float, ...], classes: int) -> list[Row]:
    """The float32 loss, computed in three ways, of a network with a score of that size for a wrong class."""
    label = fw.tensor([1])
    ways: dict[str, Callable[[Any], Any]] = {
        "naive": lambda z: -(z.exp() / z.exp().sum(1, keepdim=True)).log()[:, 1].sum(),
        "softmax_then_log": lambda z: fw.nn.functional.nll_loss(z.softmax(1).log(), label),
        "fused": lambda z: fw.nn.functional.cross_entropy(z, label),
    }
    rows = []
    for size in sizes:
        row: Row = {"size": size, "exact": size + math.log1p((classes - 1) * math.exp(-size))}
        for name, loss_of in ways.items():
            z = fw.zeros(1, classes)
            z[0, 0] = size
            loss = loss_of(z.requires_grad_())
            (gradient,) = fw.autograd.grad(loss, z)
            row |= {name: loss.item(), f"{name}_gradient": gradient[0, 1].item()}
        rows.append(row)
    return rows


def network(fw: Any, settings: Settings, loss: str) -> Any:
    """The printed network, with a softmax at its end except for cross entropy."""
    scores = mlp(fw, 784, settings.hidden, settings.classes)
    return scores if loss == CROSS_ENTROPY else fw.nn.Sequential(scores, fw.nn.Softmax(1))


def objective(fw: Any, loss: str, classes: int) -> Any:
    """The loss as a program would write it, as a function of model, images and labels."""
    if loss == SQUARES:
        one_hot = fw.eye(classes)
        return lambda model, images, labels: fw.nn.functional.mse_loss(model(images), one_hot[labels])
    return lambda model, images, labels: fw.nn.functional.cross_entropy(model(images), labels)


def measures(fw: Any, model: Any, loss: str, **parts: Samples) -> dict[str, float]:
    """NAME_accuracy and NAME_loss of each part; the loss is the cross entropy of the network's probabilities."""
    found = {}
    for name, (inputs, labels) in parts.items():
        outputs = logits(fw, model, inputs)
        log_probabilities = outputs.log_softmax(1) if loss == CROSS_ENTROPY else outputs.clamp(min=1e-38).log()
        found[f"{name}_loss"] = fw.nn.functional.nll_loss(log_probabilities, labels).item()
        found[f"{name}_accuracy"] = (outputs.argmax(1) == labels).sum().item() / len(labels)
    return found


def first_gradient(fw: Any, settings: Settings, loss: str, samples: Samples) -> float:
    """The mean norm of the gradient by a sample's scores, in the untrained network."""
    model = network(fw, settings, loss)
    scores_of = model if loss == CROSS_ENTROPY else model[0]
    images, labels = samples
    scores = scores_of(images).detach().requires_grad_()
    outputs = scores if loss == CROSS_ENTROPY else model[1](scores)
    value = objective(fw, loss, settings.classes)(lambda outputs: outputs, outputs, labels)
    (gradient,) = fw.autograd.grad(value, scores)
    return float((gradient**2).sum(1).sqrt().sum().item())  # the loss is a mean, so this sum is the mean norm


def on_mnist(run: Run[Settings]) -> None:
    """Trains the printed network with each loss at each rate; keeps the table `losses`."""
    fw, settings = run.fw, run.settings
    training, validation = split(run.training_data, settings.validation)
    run.expect(epochs=len(LOSSES) * len(settings.learning_rates) * settings.epochs)
    rows: list[Row] = []
    for loss in LOSSES:
        fw.manual_seed(run.seed)
        images, labels = training
        start = {"first_gradient": first_gradient(fw, settings, loss, (images[:1_000], labels[:1_000]))}
        for rate in settings.learning_rates:

            def build(loss: str = loss, rate: float = rate) -> Trainer:
                model = network(fw, settings, loss)
                loader = batches(fw, *training, size=settings.batch_size, shuffle=True)
                optimizer = fw.optim.SGD(model.parameters(), lr=rate)
                return Trainer(model, optimizer, loader, objective(fw, loss, settings.classes))

            stage = stage_name(loss, rate)
            measure = partial(measures, fw, loss=loss, validation=validation)
            run.fit(stage, build, settings.epochs, measure)
            history = run.history(stage)
            accuracies = [row["validation_accuracy"] for row in history]
            rows.append(
                {
                    "loss": loss,
                    "rate": rate,
                    **start,
                    "training_loss": history[-1]["loss"],
                    "log_loss": history[-1]["validation_loss"],
                    "first_accuracy": accuracies[0],
                    "last_accuracy": accuracies[-1],
                }
            )
    run.keep_table("losses", rows)
    run.keep(training_samples=len(training[1]), validation_samples=len(validation[1]))
    run.keep(**{f"{loss.replace(' ', '_').lower()}_validation_accuracy": best(rows, loss) for loss in LOSSES})


def best(rows: list[Row], loss: str) -> float:
    """The best accuracy of a loss over its learning rates."""
    return max(float(row["last_accuracy"]) for row in rows if row["loss"] == loss)


EXPERIMENT = Experiment(
    name="softmax_cross_entropy",
    assignment="hw3 1, ece559-hw6 1",
    trains="the loss of a given vector, ∇f and ∇z derived and checked, MSE against cross entropy, softmax twice",
    settings=Settings,
    train=train,
    headline=("given_loss", "largest_gradient_error"),
)
