"""hw3 3 F and G: dropout and batch norm in train() and eval(), in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from experiments.data import Samples
from experiments.runner.files import Row
from experiments.training.trainer import batches

EVAL, TRAIN, DROPOUT, NORM = "eval()", "no eval()", "dropout still on", "batch norm still on"
MODES = (EVAL, TRAIN, DROPOUT, NORM)
AS_GIVEN, SORTED = "as given", "sorted by class"


def dropout_table(fw: Any, p: float, n: int) -> list[Row]:
    """Dropout applied to n ones: the share of zeros, the value of the others, and the mean."""
    layer, ones, rows = fw.nn.Dropout(p), fw.ones(n), []
    for mode in ("train", "eval"):
        getattr(layer, mode)()
        out, again = layer(ones), layer(ones)
        rows.append(
            {
                "mode": f"{mode}()",
                "zeros": (out == 0).sum().item() / n,
                "largest": out.max().item(),
                "mean": out.mean().item(),
                "differs_again": (out != again).sum().item() / n,
            }
        )
    return rows


def batch_norm_table(fw: Any, seen: tuple[int, ...], n: int) -> list[Row]:
    """Batch norm of one feature with mean 3 and standard deviation 2, after so many batches of n in train()."""
    layer, rows, count = fw.nn.BatchNorm1d(1), [], 0
    error = 0.0  # of both formulas

    def running() -> tuple[float, float]:
        return layer.running_mean.item(), layer.running_var.item()

    def apart(a: Sequence[float], b: Sequence[float]) -> float:
        return max(abs(x - y) for x, y in zip(a, b, strict=True))

    for until in seen:
        layer.train()
        for _ in range(until - count):
            x, before = 3 + 2 * fw.randn(n, 1), running()
            layer(x)
            of_batch = [x.mean().item(), x.var().item()]
            expected = [(1 - layer.momentum) * a + layer.momentum * b for a, b in zip(before, of_batch, strict=True)]
            error = max(error, apart(running(), expected))
        count = until
        x, (mean, var) = 3 + 2 * fw.randn(n, 1), running()
        layer.eval()
        out = layer(x)
        error = max(error, (out - (x - mean) / (var + layer.eps) ** 0.5).abs().max().item())
        moved = apart(running(), (mean, var))
        with restored(layer):
            layer.train()
            trained = layer(x)
        rows.append(
            {
                "batches": until,
                "running_mean": mean,
                "running_var": var,
                "train_mean": trained.mean().item(),
                "train_std": trained.std().item(),
                "eval_mean": out.mean().item(),
                "eval_std": out.std().item(),
                "moved_by_eval": moved,
                "formula_error": error,
            }
        )
    return rows


@contextmanager
def restored(model: Any) -> Iterator[None]:
    """Restores parameters and running statistics afterwards."""
    state = {name: value.clone() for name, value in model.state_dict().items()}
    try:
        yield
    finally:
        model.load_state_dict(state)


def set_mode(fw: Any, model: Any, mode: str) -> None:
    """Switches a model to one of `MODES`; the last two keep dropout or batch norm in training mode."""
    model.train(mode == TRAIN)
    still_on = {DROPOUT: fw.nn.Dropout, NORM: fw.nn.BatchNorm1d}
    if mode in still_on:
        for layer in model.modules():
            if isinstance(layer, still_on[mode]):
                layer.train()


def outputs(fw: Any, model: Any, mode: str, inputs: Any, batch: int) -> Any:
    """The model's scores in that mode, `batch` samples at a time; may change the running statistics."""
    set_mode(fw, model, mode)
    with fw.no_grad():
        return fw.cat([model(x) for (x,) in batches(fw, inputs, size=batch)])


def mode_table(fw: Any, model: Any, samples: Samples, sizes: tuple[int, ...]) -> list[Row]:
    """The accuracy in each mode, for each size of the batches, with the samples as given and sorted by class."""
    inputs, labels = samples
    order = labels.argsort(stable=True)
    rows: list[Row] = []
    for mode in MODES:
        for name, (x, y) in {AS_GIVEN: samples, SORTED: (inputs[order], labels[order])}.items():
            for size in sizes:
                with restored(model):
                    right = (outputs(fw, model, mode, x, size).argmax(1) == y).sum().item()
                rows.append({"mode": mode, "order": name, "batch": size, "accuracy": right / len(y)})
    return rows


def repeat_table(fw: Any, model: Any, samples: Samples, batch: int, passes: int) -> list[Row]:
    """Several passes over the same samples with and without eval(), compared."""
    inputs, labels = samples
    rows: list[Row] = []
    for mode in (EVAL, TRAIN):
        with restored(model):
            found = [outputs(fw, model, mode, inputs, batch) for _ in range(passes)]
        decisions = [scores.argmax(1) for scores in found]
        accuracies = [(predicted == labels).sum().item() / len(labels) for predicted in decisions]
        rows.append(
            {
                "mode": mode,
                "lowest": min(accuracies),
                "highest": max(accuracies),
                "mean": sum(accuracies) / passes,
                "scores_differ": max((scores - found[0]).abs().max().item() for scores in found),
                "decisions_differ": max((predicted != decisions[0]).sum().item() for predicted in decisions),
            }
        )
    return rows


def aftermath(fw: Any, model: Any, samples: Samples, batch: int) -> dict[str, float]:
    """The effect of a pass without eval(), over samples sorted by class, on the running statistics."""
    inputs, labels = samples
    order = labels.argsort(stable=True)
    before = {name: value.clone() for name, value in model.state_dict().items() if "running" in name}
    with restored(model):
        outputs(fw, model, TRAIN, inputs[order], batch)
        state = model.state_dict()
        moved = max((state[name] - value).abs().max().item() for name, value in before.items())
        right = (outputs(fw, model, EVAL, inputs, batch).argmax(1) == labels).sum().item()
    return {"running_statistics_moved": moved, "afterwards_test_accuracy": right / len(labels)}


def single_sample(fw: Any, model: Any, inputs: Any) -> str:
    """The message of the error that a batch of one sample raises in train()."""
    with restored(model):
        try:
            outputs(fw, model, TRAIN, inputs[:1], 1)
        except ValueError as error:
            return f"{type(error).__name__}: {error}"
    return "no error"


def gradient_in_eval(fw: Any, model: Any, samples: Samples) -> dict[str, bool]:
    """Whether eval() turns gradients off (it doesn't), and whether no_grad() does."""
    inputs, labels = samples
    model.eval()
    loss = fw.nn.functional.cross_entropy(model(inputs[:100]), labels[:100])
    with fw.no_grad():
        silent = model(inputs[:100])
    return {"eval_records": bool(loss.requires_grad), "no_grad_records": bool(silent.requires_grad)}
