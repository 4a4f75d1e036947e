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
    _, counts = classifiers.counts_of(record)
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
        edge=report.edge(settings.learning_rates, metrics["learning_rate"]),
        seeds=report.seeds_sentence(metrics["test_accuracies"]),
        correct=metrics["test_samples"] - metrics["test_errors"],
        confusion=classifiers.heat_map(record, "Classification rates on the test set (%)"),
        graph=_graph(record),
        frequent=f" Most often: {', '.join(frequent)}." if frequent else "",
    )


def _curves(record: Record[Settings], stage: str) -> dict[str, list[float]]:
    columns = {"training": "train_accuracy", "validation": "validation_accuracy"}
    return {label: record.curve(stage, column) for label, column in columns.items()}


def _limits(record: Record[Settings]) -> tuple[float, float]:
    """The same range for all figures, so that they can be compared."""
    return figures.percent_range(
        [c for s in record.stages if not s.startswith(FINAL) for c in _curves(record, s).values()]
    )


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


def _graph(record: Record[Settings]) -> str:
    """The layers from the pixels to the cost, the shapes between them, and what the backward pass computes in each."""
    rows = [("pixels x", "", "N × 784")]  # name, rule, shape of the output
    for i, (n, m) in enumerate(pairwise([784, *record.settings.hidden, 10]), start=1):
        rule = f"dW{i} = gᵀ x:  {m} × {n}\ndb{i} = Σ g:  {m}\ndx = g W{i}:  N × {n}"
        rows.append((f"linear, W{i}: {m} × {n}", rule, f"N × {m}"))
        if i <= len(record.settings.hidden):
            rows.append(("ReLU or tanh", f"dx = g · [y > 0] or g · (1 − y²):  N × {m}", f"N × {m}"))
            rows.append(("dropout", f"dx = g · m / (1 − p):  N × {m}", f"N × {m}"))
    rows += [("softmax, cross entropy", "dz = (p − y) / N:  N × 10", "1"), ("cost C", "dC/dC = 1", "")]
    figure, axes = figures.canvas(size=(8.0, 0.85 * len(rows)))
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0.4 - len(rows), 0.4), title="The forward pass (down) and the backward pass (up)")
    down, up = (0.2, 0.18, "right", "<-", figures.TRAINING), (0.3, 0.32, "left", "->", figures.VALIDATION)
    for y, (name, rule, shape) in enumerate(rows):
        axes.text(0.25, -y, name, ha="center", va="center", bbox={"boxstyle": "round", "facecolor": "white"})
        axes.text(0.5, -y, rule, va="center", color=figures.VALIDATION)
        for x, beside, side, style, colour in (down, up) if shape else ():
            arrow = {"arrowstyle": style, "color": colour, "linewidth": 1.5}
            axes.annotate("", (x, -y - 0.3), (x, -y - 0.7), arrowprops=arrow)
            axes.text(beside, -y - 0.5, shape, va="center", ha=side, fontsize=9, color=colour)
    source = f"Shapes in a batch of N = {record.settings.batch_size} samples"
    return report.image(figures.save(figure, record, "graph", source), "the forward and the backward pass")
