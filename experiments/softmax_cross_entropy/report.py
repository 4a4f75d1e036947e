"""The report of `softmax_cross_entropy`: figures, tables, and the text beside this file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.softmax_cross_entropy.gradient_checks import STEP, TARGETS
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
        given=report.table(
            ["how it is read", "entries", "their sum", "loss (nats)"],
            [[READINGS[r], row["entries"], f"{row['sum']:.2f}", _loss(row["loss"])] for r, row in given.items()],
        ),
        true=true,
        rest=1 - settings.confidence,
        confident=_confident(true, other, others),
        ratio_f=true["cross_entropy_by_f"] / true["squares_by_f"],
        ratio_mean=true["cross_entropy_by_f"] / true["mean_square_by_f"],
        ratio_z=true["cross_entropy_by_z"] / true["squares_by_z"],
        smallest_ratio=min(row["cross_entropy_by_f"] / row["squares_by_f"] for row in sweep),
        wrong=(wrong := next(row for row in sweep if row["probability"] >= 0.01)),
        ratio_wrong=wrong["cross_entropy_by_z"] / wrong["squares_by_z"],
        sweep_error=max(abs(row[column] - value) for row in sweep for column, value in _formulas(row, others).items()),
        gradients_figure=report.image(_gradients_figure(record, sweep, true), "gradients of the losses"),
        overflow=_overflow(record.table("overflow")),
        others=others,
        floor=math.log(math.e + others) - 1,
        twice_loss=min(row["training_loss"] for row in losses if row["loss"] == TWICE),
        first={row["loss"]: row["first_gradient"] for row in losses},
        losses=_losses(losses),
        accuracy_figure=report.image(_accuracy_figure(record), "validation accuracy of the three losses"),
        slower=_slower(settings, losses),
        softmax_link=report.operation_link("softmax", record.folder),
        log_softmax_link=report.operation_link("log_softmax", record.folder),
        fused_link=report.operation_link("_softmax_nll", record.folder),
        example=_example(record.table("example")),
        step=STEP,
        checks=_checks(record.table("checks")),
    )


def _loss(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "∞" if value > 0 else "nan"


def _confident(true: Row, other: Row, others: int) -> str:
    rows = []
    for name, row in (("3", true), (f"each of the other {others}", other)):
        cells = [f"{row['probability']:.4g}", f"{row['y']:g}"]
        for loss in ("cross_entropy", "squares", "mean_square"):
            cells += [f"{row[f'{loss}_by_{what}'] + 0.0:.4g}" for what in "fz"]
        rows.append([name, *cells])
    names = ("CE", "Σ squares", "nn.MSELoss")
    header = ["k", "ŷ_k", "y_k", *(f"∂ {name}/∂{by}" for name in names for by in ("ŷ_k", "z_k"))]
    return report.table(header, rows)


def _formulas(row: Row, others: int) -> dict[str, float]:
    """What the derivation gives for a row of the sweep."""
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


def _gradients_figure(record: Record[Settings], sweep: list[Row], true: Row) -> Path:
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
    return figures.save(figure, record, "gradients")


def _overflow(table: list[Row]) -> str:
    rows = []
    for row in table:
        cells = [f"{row['size']:g}", f"{row['exact']:.4f}"]
        for way in ("naive", "softmax_then_log", "fused"):
            gradient = row[f"{way}_gradient"]
            cells.append(
                f"{_loss(row[way])} ({gradient:.3f})" if math.isfinite(gradient) else f"{_loss(row[way])} (nan)"
            )
        rows.append(cells)
    return (
        report.table(
            ["score", "true loss", "−log(eᶻ / Σ eᶻ)", "`nll_loss(softmax(z).log())`", "`CrossEntropyLoss`"], rows
        )
        + "\n\nIn brackets the gradient by the score of the right class."
    )


def _losses(table: list[Row]) -> str:
    rows = [
        [
            row["loss"],
            f"{row['rate']:g}",
            f"{row['first_gradient']:.4f}",
            f"{row['training_loss']:.4f}",
            f"{row['log_loss']:.4f}",
            report.percent(row["first_accuracy"]),
            report.percent(row["last_accuracy"]),
        ]
        for row in table
    ]
    header = ["trained with", "rate", "first gradient by z", "training loss", "validation log-loss"]
    return report.table([*header, "validation accuracy after epoch 1", "after the last"], rows)


def _accuracy_figure(record: Record[Settings]) -> Path:
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
    return figures.save(figure, record, "accuracy")


def _slower(settings: Settings, losses: list[Row]) -> str:
    """What the trainings show, in a sentence a rate."""
    found = {(row["loss"], row["rate"]): row for row in losses}
    parts = []
    for rate in settings.learning_rates:
        right, *others = (found[loss, rate] for loss in LOSSES)
        behind = "; ".join(
            f"{row['loss']}: {report.percent(row['first_accuracy'])}, then {report.percent(row['last_accuracy'])}"
            for row in others
        )
        parts.append(
            f"At rate {rate:g} cross entropy is at {report.percent(right['first_accuracy'])} after the first epoch and"
            f" ends at {report.percent(right['last_accuracy'])} ({behind})."
        )
    return " ".join(parts)


def _example(table: list[Row]) -> str:
    header = ["y", "i", "z", "f", "y_i", "∇f ℓ", "∇z ℓ in two steps", "∇z ℓ fused", "f − y"]
    rows: list[list[Any]] = []
    for kind, name in (("one_hot", "one-hot"), ("probabilities", "probabilities")):
        for i, row in enumerate(table):
            steps = [row[f"{kind}_{step}"] for step in ("y", "grad_f", "two_steps", "fused", "difference")]
            numbers = [row["z"], row["f"], *steps]
            rows.append([name if i == 0 else "", i, *(f"{number + 0.0:.5f}" for number in numbers)])
    return report.table(header, rows)


def _checks(table: list[Row]) -> str:
    found = {row["check"]: row for row in table}
    rows = [[text, *(f"{found[check][kind]:.0e}" for kind in TARGETS)] for check, text in CHECKS.items()]
    return report.table(["what against what", "y one-hot", "y probabilities", "y weights with sum 2"], rows)
