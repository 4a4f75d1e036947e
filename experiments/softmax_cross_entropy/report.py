"""The report of `softmax_cross_entropy`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math

from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.softmax_cross_entropy.gradient_checks import STEP
from experiments.softmax_cross_entropy.train import CROSS_ENTROPY, LOSSES, SQUARES, TWICE, Settings, stage_name

COLOURS = {CROSS_ENTROPY: figures.TRAINING, SQUARES: figures.VALIDATION, TWICE: figures.TEST}
LINES = {  # column of the sweep: label, colour, style
    "cross_entropy": ("cross entropy", figures.TRAINING, "-"),
    "squares": ("sum of squares", figures.VALIDATION, "-"),
    "mean_square": ("nn.MSELoss (mean of squares)", figures.VALIDATION, "--"),
    "softmax_twice": ("cross entropy, softmax twice", figures.TEST, "-"),
}
READINGS = {
    "printed": "**as printed**, index 3",
    "mended": "the surplus 0.05 left out, index 3",
    "normalised": "all entries divided by their sum, index 3",
    "counted from 1": "as printed, the third entry (counted from 1): wrong, labels count from 0",
    "printed y": "the printed y taken literally, filled up with zeros: 0.1 times the loss of a 1",
    "taken for scores": "ŷ given to `CrossEntropyLoss`: wrong, it takes a softmax of the probabilities",
}
CHECKS = {
    "value": "ℓ from `CrossEntropyLoss`, against Σ y log(1/f)",
    "grad_f": "(a) ∇f by autograd, against −y/f",
    "grad_f_numeric": "(a) numeric differences by f, against −y/f",
    "jacobian": "(b) the Jacobian by autograd, against diag(f) − f fᵀ",
    "step": "(b) autograd from ∇f to ∇z, against f ⊙ (∇f − fᵀ∇f)",
    "substituted": "(c) −y/f put into (b), against f Σy − y",
    "two_steps": "(c) both steps by autograd, against f Σy − y",
    "whole": "(c) one backward walk from ℓ to z, against f Σy − y",
    "fused": "(c) the fused loss `CrossEntropyLoss`, against f Σy − y",
    "fused_numeric": "(c) the fused loss, against numeric differences by z",
}


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    given = {row["reading"]: row for row in record.table("given")}
    true, other = record.table("confident")
    sweep, losses = record.table("sweep"), record.table("losses")
    found = {row["check"]: row for row in record.table("checks")}
    others = settings.classes - 1
    return report.fill(
        __file__,
        record,
        framework=record.config["framework"],
        code=report.module_link("experiments.softmax_cross_entropy.train", record.folder),
        checks_code=report.module_link("experiments.softmax_cross_entropy.gradient_checks", record.folder),
        error=metrics["largest_gradient_error"],
        p=settings.given[settings.digit],
        bits=metrics["given_loss"] / math.log(2),
        entries=given["printed"]["entries"],
        total=given["printed"]["sum"],
        mended=given["mended"],
        given=[{**row, "reading": READINGS[reading], "loss": _loss(row["loss"])} for reading, row in given.items()],
        true=true,
        rest=1 - settings.confidence,
        confident=[{**true, "k": "3"}, {**other, "k": f"each of the other {others}"}],
        ratio_f=true["cross_entropy_by_f"] / true["squares_by_f"],
        ratio_mean=true["cross_entropy_by_f"] / true["mean_square_by_f"],
        ratio_z=true["cross_entropy_by_z"] / true["squares_by_z"],
        smallest_ratio=min(row["cross_entropy_by_f"] / row["squares_by_f"] for row in sweep),
        wrong=(wrong := next(row for row in sweep if row["probability"] >= 0.01)),
        ratio_wrong=wrong["cross_entropy_by_z"] / wrong["squares_by_z"],
        sweep_error=max(abs(row[column] - value) for row in sweep for column, value in _formulas(row, others).items()),
        gradients_figure=_gradients_figure(record, sweep, true),
        overflow=[_overflow(row) for row in record.table("overflow")],
        others=others,
        least_twice=math.log(math.e + others) - 1,
        twice_loss=min(row["training_loss"] for row in losses if row["loss"] == TWICE),
        first={row["loss"]: row["first_gradient"] for row in losses},
        accuracy_figure=_accuracy_figure(record),
        slower=_slower(settings, losses),
        softmax_link=report.operation_link("softmax", record.folder),
        log_softmax_link=report.operation_link("log_softmax", record.folder),
        fused_link=report.operation_link("_softmax_nll", record.folder),
        example=_example(record.table("example")),
        step=STEP,
        checks=[{**found[check], "check": text} for check, text in CHECKS.items()],
    )


def _loss(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "∞" if value > 0 else "nan"


def _formulas(row: Row, others: int) -> dict[str, float]:
    """The derived formulas for a row of the sweep."""
    p = row["probability"]
    by_score = -2 * (1 + 1 / others) * p * (1 - p) ** 2
    twice = math.exp(p) / (math.exp(p) + others * math.exp((1 - p) / others))
    return {
        "cross_entropy_by_f": -1 / p,
        "cross_entropy_by_z": p - 1,
        "squares_by_f": 2 * (p - 1),
        "squares_by_z": by_score,
        "mean_square_by_f": 2 * (p - 1) / (others + 1),
        "mean_square_by_z": by_score / (others + 1),
        "softmax_twice_by_f": twice - 1,
        "softmax_twice_by_z": -(1 + 1 / others) * p * (1 - p) * (1 - twice),
    }


def _gradients_figure(record: Record[Settings], sweep: list[Row], true: Row) -> str:
    figure, (left, right) = figures.canvas(1, 2, size=(10.5, 4.6))
    p = [row["probability"] for row in sweep]
    for loss, (label, colour, style) in LINES.items():
        for axes, by in ((left, "f"), (right, "z")):
            column = f"{loss}_by_{by}"
            axes.plot(p, [abs(row[column]) for row in sweep], style, color=colour, label=label)
            axes.plot([true["probability"]], [abs(true[column])], "o", color=colour, markersize=5)
    left.set(title="by the probability of the true class", ylabel="|∂ loss / ∂ŷ₃|", yscale="log")
    right.set(title="by its score, behind the softmax", ylabel="|∂ loss / ∂z₃|", ylim=(0, 1.05))
    for axes in (left, right):
        axes.axvline(true["probability"], color=figures.MARK, linestyle=":", linewidth=1)
        axes.set(xlabel="probability ŷ₃ of the true class", xlim=(0, 1))
    figure.suptitle(f"What each loss tells the network about the true class (dots: ŷ₃ = {true['probability']:g})")
    figures.legend(figure, left)
    source = f"Computed by autograd at {len(sweep)} values of ŷ₃; no data set"
    return report.image(figures.save(figure, record, "gradients", source), "gradients of the losses")


def _overflow(row: Row) -> Row:
    """Each way's loss, and in brackets its gradient."""
    ways = ("naive", "softmax_then_log", "fused")
    return {**row, **{way: f"{_loss(row[way])} ({_loss(row[f'{way}_gradient'], 3)})" for way in ways}}


def _accuracy_figure(record: Record[Settings]) -> str:
    figure, axes = figures.canvas()
    curves = []
    for loss in LOSSES:
        for rate, style in zip(record.settings.learning_rates, ("--o", "-o", ":o", "-.o"), strict=False):
            curve = record.curve(stage_name(loss, rate), "validation_accuracy")
            curves.append(curve)
            epochs, label = range(1, len(curve) + 1), f"{loss}, rate {rate:g}"
            axes.plot(epochs, [100 * a for a in curve], style, color=COLOURS[loss], markersize=4, label=label)
    figures.whole_numbers(axes)
    axes.set(xlabel="epoch", ylabel="validation accuracy (%)", title="The same network with three losses")
    axes.legend(fontsize=9)
    return report.image(figures.save(figure, record, "accuracy"), "validation accuracy of the three losses")


def _slower(settings: Settings, losses: list[Row]) -> str:
    """The accuracies of the trainings, one sentence per rate."""
    found = {(row["loss"], row["rate"]): row for row in losses}
    parts = []
    for rate in settings.learning_rates:
        right, *others = (found[loss, rate] for loss in LOSSES)
        rest = "; ".join(
            f"{row['loss']}: {report.percent(row['first_accuracy'])}, then {report.percent(row['last_accuracy'])}"
            for row in others
        )
        parts.append(
            f"At rate {rate:g} cross entropy is at {report.percent(right['first_accuracy'])} after the first epoch and"
            f" ends at {report.percent(right['last_accuracy'])} ({rest})."
        )
    return " ".join(parts)


def _example(table: list[Row]) -> list[Row]:
    rows = []
    for target, name in (("one_hot", "one-hot"), ("probabilities", "probabilities")):
        for i, row in enumerate(table):
            steps = {step: row[f"{target}_{step}"] for step in ("y", "grad_f", "two_steps", "fused", "difference")}
            rows.append({"target": "" if i else name, "i": i, "z": row["z"], "f": row["f"], **steps})
    return rows
