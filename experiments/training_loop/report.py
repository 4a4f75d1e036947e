"""The report of `training_loop`: figures, tables, and the text beside this file."""

from __future__ import annotations

import inspect
import math

from experiments.mnist_autoencoder.train import autoencoder
from experiments.reporting import figures, report
from experiments.runner.files import Row
from experiments.runner.record import Record
from experiments.training_loop import loop_listing
from experiments.training_loop.modes import AS_GIVEN, DROPOUT, MODES, NORM, SORTED, TRAIN
from experiments.training_loop.train import COMPLETE, LOOPS, NO_BACKWARD, NO_ZERO_GRAD, TOO_EARLY, Settings

MODULES = ("train", "modes", "loop_listing")
COLOURS = dict(zip(LOOPS, (figures.TRAINING, figures.VALIDATION, figures.TEST, figures.MARK), strict=True))
MODE_COLOURS = dict(zip(MODES, (figures.TEST, figures.VALIDATION, figures.TRAINING, figures.MARK), strict=True))


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    loops = {row["loop"]: row for row in record.table("loops")}
    norm, table = record.table("batch_norm"), record.table("modes")
    repeats = {row["mode"]: row for row in record.table("repeats")}
    listing = "\n\n".join(inspect.getsource(part) for part in (autoencoder, loop_listing.listing))
    costs = [
        f"{_points(metrics['test_accuracy'] - row['accuracy'])} in batches of {row['batch']:,}"
        for row in table
        if row["mode"] == NORM and row["order"] == AS_GIVEN
    ]
    return report.fill(
        __file__,
        record,
        code=", ".join(report.module_link(f"experiments.training_loop.{name}", record.folder) for name in MODULES),
        source_samples=record.config["data"]["samples"],
        executed=record.table("imports")[0].get("executed", "minigrad"),
        worst=min(row["accuracy"] for row in table),
        listing=listing.replace("  # type: ignore[misc]", ""),
        widths=loop_listing.WIDTHS,
        batches=[{**row, "samples": str(row["samples"]).replace(" ", ", ")} for row in record.table("batches")],
        loops_figure=_loops_figure(record),
        no_backward=loops[NO_BACKWARD],
        too_early=loops[TOO_EARLY],
        no_zero_grad_text=_no_zero_grad(record, loops),
        norm_error=max(row["formula_error"] for row in norm),
        eval_moved=max(row["moved_by_eval"] for row in norm),
        changed=repeats[TRAIN]["decisions_differ"],
        seeds=report.seeds_sentence(metrics["test_accuracies"]),
        cost=_points(metrics["test_accuracy"] - metrics["without_eval_test_accuracy"]),
        mode_table=_modes(table, settings.evaluation_batches),
        modes_figure=_modes_figure(record, table),
        cleared="None" if metrics["cleared_to_none"] else "zeros",
        unbiased=math.sqrt(100 / 99),
        dropout_cost=_range([metrics["test_accuracy"] - row["accuracy"] for row in table if row["mode"] == DROPOUT]),
        norm_costs="; ".join(costs),
        sorted_norm=min(row["accuracy"] for row in table if row["mode"] == NORM and row["order"] == SORTED),
    )


def _points(difference: float) -> str:
    return f"{100 * difference:.2f} percentage points"


def _range(differences: list[float]) -> str:
    return f"between {100 * min(differences):.2f} and {_points(max(differences))}"


def _no_zero_grad(record: Record[Settings], loops: dict[str, Row]) -> str:
    """The results of the loop without zero_grad(), in words."""
    right, wrong = loops[COMPLETE], loops[NO_ZERO_GRAD]
    losses = record.curve(NO_ZERO_GRAD, "loss")
    text = (
        f"ends with a training loss of {wrong['last_loss']:.4g} and {report.percent(wrong['accuracy'])} instead of"
        f" {right['last_loss']:.4g} and {report.percent(right['accuracy'])}"
    )
    if losses[-1] > losses[0] or not math.isfinite(losses[-1]):
        text += f"; its loss has **risen** since the first epoch, from {losses[0]:.4g}"
    elif min(losses) < losses[-1]:
        text += f"; its loss is lowest after epoch {1 + losses.index(min(losses))} and then rises again"
    return f"{text}. Its weights have moved up to {wrong['moved'] / max(right['moved'], 1e-12):,.0f} times as far."


def _modes(table: list[Row], sizes: tuple[int, ...]) -> str:
    found = {(row["mode"], row["order"], row["batch"]): report.percent(row["accuracy"]) for row in table}
    columns = [(order, size) for order in (AS_GIVEN, SORTED) for size in sizes]
    rows = [[mode, *(found[mode, *column] for column in columns)] for mode in MODES]
    return report.table(["", *(f"{order}, batches of {size:,}" for order, size in columns)], rows)


def _loops_figure(record: Record[Settings]) -> str:
    figure, axes = figures.canvas()
    for loop in LOOPS:
        losses = record.curve(loop, "loss")
        style = "--" if loop == TOO_EARLY else "-o"  # it lies on the curve of the one without backward()
        axes.plot(range(1, len(losses) + 1), losses, style, color=COLOURS[loop], markersize=4, label=loop)
    figures.whole_numbers(axes)
    axes.set(xlabel="epoch", ylabel="mean training loss (nats per sample)")
    axes.set(title="The same network and data, four loops", ylim=(0, None))
    axes.legend(fontsize=9)
    return report.image(figures.save(figure, record, "loops"), "training loss of four loops")


def _modes_figure(record: Record[Settings], table: list[Row]) -> str:
    figure, panels = figures.canvas(1, 2, size=(10.0, 4.6))
    for axes, order in zip(panels, (AS_GIVEN, SORTED), strict=True):
        for mode in MODES:
            rows = [row for row in table if (row["mode"], row["order"]) == (mode, order)]
            accuracies = [100 * row["accuracy"] for row in rows]
            axes.plot([row["batch"] for row in rows], accuracies, "-o", color=MODE_COLOURS[mode], label=mode)
        sizes = record.settings.evaluation_batches
        axes.set(title=f"test images {order}", xlabel="test images in a batch", ylabel="test accuracy (%)")
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
    figure.suptitle("One network, tested in four modes (mind the two scales)")
    figures.legend(figure, panels[0])
    return report.image(figures.save(figure, record, "modes"), "accuracy by mode, batch size and order")
