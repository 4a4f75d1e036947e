"""The gradients of softmax and cross entropy in closed form, compared with autograd and numeric differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from experiments.runner.files import Row

TARGETS = ("one_hot", "probabilities", "weights")
STEP = 1e-5  #: of the central differences, relative for f: their error is about STEP² and ε / STEP


def loss_of(f: Any, y: Any) -> Any:
    """ℓ(y, f) = Σ y_i log(1 / f_i) of each row."""
    return (y * (1 / f).log()).sum(1)


def jacobian_product(f: Any, g: Any) -> Any:
    """∇z from g = ∇f: f_j (g_j − Σ_i f_i g_i)."""
    return f * (g - (f * g).sum(1, keepdim=True))


def checks(fw: Any, cases: int, classes: int) -> list[Row]:
    """The largest deviation in each step of the derivation over random scores, for each form of target.

    A deviation is |a − b| / max(1, |b|), in float64.
    """
    z = 2 * fw.randn(cases, classes, dtype=fw.float64)
    chance = fw.randn(cases, classes, dtype=fw.float64).softmax(1)
    targets = {
        "one_hot": fw.eye(classes, dtype=fw.float64)[fw.randint(classes, (cases,))],
        "probabilities": chance,
        "weights": 2 * chance,  # for the case that y doesn't sum to 1
    }
    columns = {name: _deviations(fw, z, y) for name, y in targets.items()}
    return [
        {"check": check, **{name: column[check] for name, column in columns.items()}} for check in columns["one_hot"]
    ]


def _deviations(fw: Any, z: Any, y: Any) -> dict[str, float]:
    z = z.clone().requires_grad_()
    f = z.softmax(1)
    fused = fw.nn.CrossEntropyLoss(reduction="sum")
    (by_f,) = fw.autograd.grad(loss_of(f, y).sum(), f, retain_graph=True)
    (two_steps,) = fw.autograd.grad(f, z, grad_outputs=by_f, retain_graph=True)
    rows = fw.stack([fw.autograd.grad(f[:, i].sum(), z, retain_graph=True)[0] for i in range(f.shape[1])], 1)
    (whole,) = fw.autograd.grad(loss_of(z.softmax(1), y).sum(), z)
    value = fused(z, y)
    (in_one,) = fw.autograd.grad(value, z)
    f, z = f.detach(), z.detach()
    formula = f * y.sum(1, keepdim=True) - y
    numeric_f = differences(lambda f: loss_of(f, y), f, STEP * f)
    numeric_z = differences(lambda z: fw.nn.functional.cross_entropy(z, y, reduction="none"), z, STEP + 0 * z)
    return {
        "grad_f": deviation(by_f, -y / f),
        "grad_f_numeric": deviation(numeric_f, -y / f),
        "jacobian": deviation(rows, fw.eye(f.shape[1]) * f.unsqueeze(2) - f.unsqueeze(2) * f.unsqueeze(1)),
        "step": deviation(two_steps, jacobian_product(f, by_f)),
        "substituted": deviation(jacobian_product(f, -y / f), formula),
        "two_steps": deviation(two_steps, formula),
        "whole": deviation(whole, formula),
        "fused": deviation(in_one, formula),
        "fused_numeric": deviation(in_one, numeric_z),
        "value": deviation(value, loss_of(f, y).sum()),
    }


def deviation(found: Any, expected: Any) -> float:
    """max |found − expected| / max(1, |expected|)."""
    return float(((found - expected).abs() / expected.abs().clamp(min=1)).max().item())


def differences(function: Callable[[Any], Any], x: Any, steps: Any) -> Any:
    """The central differences (function(x + h) − function(x − h)) / 2h by each column; `function` works on rows alone.

    >>> import minigrad
    >>> x = minigrad.tensor([[1.0, 3.0]], dtype=minigrad.float64)
    >>> differences(lambda x: (x * x).sum(1), x, 1e-5 * x).round(decimals=6).tolist()
    [[2.0, 6.0]]
    """
    result = x.clone()
    for j in range(x.shape[1]):
        ahead, behind = x.clone(), x.clone()
        ahead[:, j] += steps[:, j]
        behind[:, j] -= steps[:, j]
        result[:, j] = (function(ahead) - function(behind)) / (2 * steps[:, j])
    return result


def example(fw: Any, scores: Sequence[float], probabilities: Sequence[float]) -> list[Row]:
    """The numbers of one case, one row per class, for a one-hot target (the first class) and for probabilities."""
    z = fw.tensor([scores], dtype=fw.float64).requires_grad_()
    f = z.softmax(1)
    one_hot = fw.zeros(1, len(scores), dtype=fw.float64)
    one_hot[0, 0] = 1
    columns = {"z": z, "f": f}
    for name, y in {"one_hot": one_hot, "probabilities": fw.tensor([probabilities], dtype=fw.float64)}.items():
        (by_f,) = fw.autograd.grad(loss_of(f, y).sum(), f, retain_graph=True)
        (two_steps,) = fw.autograd.grad(f, z, grad_outputs=by_f, retain_graph=True)
        (fused,) = fw.autograd.grad(fw.nn.CrossEntropyLoss()(z, y), z)
        steps = {"y": y, "grad_f": by_f, "two_steps": two_steps, "fused": fused, "difference": f - y}
        columns |= {f"{name}_{step}": values for step, values in steps.items()}
    return [{name: values[0, i].item() for name, values in columns.items()} for i in range(len(scores))]
