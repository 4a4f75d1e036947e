"""The report of `mnist_backprop`: figures, tables, and the text beside this file."""

from __future__ import annotations

from itertools import pairwise, product

from experiments.mnist_backprop.train import Settings, stage_name
from experiments.reporting import classifiers, figures, report
from experiments.runner.record import Record
from experiments.training.classification import FINAL
from experiments.training.metrics import most_frequent

SPELLED = {"relu": "ReLU", "tanh": "tanh"}
OPERATIONS = ("linear", "relu", "tanh", "dropout", "mul", "cross_entropy", "log_softmax", "nll_loss", "_softmax_nll")


def write(record: Record[Settings]) -> str:
    """The text, with all numbers and figures from the run's own files."""
    settings, metrics = record.settings, record.metrics
    configurations = list(product(settings.activations, settings.learning_rates))
    widths = [784, *settings.hidden, 10]
    rows = []
    for activation, rate in configurations:
        training, validation = _curves(record, stage_name(activation, rate)).values()
        best = max(validation)
        row = {"activation": SPELLED[activation], "rate": rate, "training": training[-1], "validation": validation[-1]}
        row |= {"bold": (activation, rate) == (metrics["activation"], metrics["learning_rate"])}
        rows.append({**row, "best": best, "epoch": 1 + validation.index(best)})
    chosen = SPELLED[metrics["activation"]]
    counts = [[row[str(j)] for j in range(10)] for row in record.table("confusion")]
    frequent = [f"{i} taken for {j} ({n} times)" for n, i, j in most_frequent(counts, 3)]
    links = {f"op_{name}": report.operation_link(name, record.folder) for name in OPERATIONS}
    return report.fill(
        __file__,
        record,
        **links,
        chosen=chosen,
        layers="-".join(map(str, widths)),
        parameters=sum((n + 1) * m for n, m in pairwise(widths)),
        rates=", ".join(f"{rate:g}" for rate in settings.learning_rates),
        hidden_layers=len(settings.hidden),
        halvings=" and ".join(map(str, settings.halvings)),
        total=metrics["training_samples"] + metrics["validation_samples"],
        updates=-(-metrics["training_samples"] // settings.batch_size),
        comparison=rows,
        overview=_overview(record, configurations),
        curves="\n\n".join(_configuration_figure(record, *c) for c in configurations),
        final_curve=classifiers.final_figure(
            record,
            f"The chosen network trained on all samples ({chosen}, initial rate {metrics['learning_rate']:g})",
            record.curve(FINAL, "learning_rate"),
        ),
        final_training=record.curve(FINAL, "train_accuracy")[-1],
        correct=metrics["test_samples"] - metrics["test_errors"],
        confusion=_confusion_figure(record, counts),
        frequent=f" Most often: {', '.join(frequent)}." if frequent else "",
    )


def _curves(record: Record[Settings], stage: str) -> dict[str, list[float]]:
    columns = {"training": "train_accuracy", "validation": "validation_accuracy"}
    return {label: record.curve(stage, column) for label, column in columns.items()}


def _limits(record: Record[Settings]) -> tuple[float, float]:
    """The same range for all figures, so that they can be compared."""
    return figures.percent_range([c for s in record.stages if s != FINAL for c in _curves(record, s).values()])


def _configuration_figure(record: Record[Settings], activation: str, rate: float) -> str:
    stage, title = stage_name(activation, rate), f"{SPELLED[activation]}, initial learning rate {rate:g}"
    figure, axes = figures.canvas()
    figures.accuracy_curves(axes, _curves(record, stage), record.curve(stage, "learning_rate"))
    axes.set(title=title, ylim=_limits(record))
    figures.legend(figure, axes)
    return report.image(figures.save(figure, record, f"curves-{activation}-{rate:g}"), title)


def _overview(record: Record[Settings], configurations: list[tuple[str, float]]) -> str:
    columns = len(record.settings.learning_rates)
    shape = (len(configurations) // columns, columns)
    figure, grid = figures.canvas(*shape, size=(4.2 * columns, 3.4 * shape[0]), sharex=True, sharey=True, squeeze=False)
    for axes, (activation, rate) in zip(grid.flat, configurations, strict=True):
        stage = stage_name(activation, rate)
        curves = _curves(record, stage)
        figures.accuracy_curves(axes, curves, record.curve(stage, "learning_rate"))
        last = report.percent(curves["validation"][-1])
        axes.set(title=f"{SPELLED[activation]}, rate {rate:g}: validation {last}", ylim=_limits(record))
        axes.label_outer()
    figures.legend(figure, grid[0, 0])
    figure.suptitle("Accuracy on training and validation data in all six configurations")
    return report.image(figures.save(figure, record, "overview"), "all six configurations")


def _confusion_figure(record: Record[Settings], counts: list[list[int]]) -> str:
    figure, axes = figures.canvas(size=(7.0, 6.0))
    figures.confusion(axes, counts, [str(digit) for digit in range(10)])
    axes.set(title=f"Test set: {record.metrics['test_errors']} errors of {record.metrics['test_samples']:,}")
    return report.image(figures.save(figure, record, "confusion"), "decisions on the test set")
