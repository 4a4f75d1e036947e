"""Losses for classification, and what all losses have in common.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``. The functions are torch.nn.functional's; losses between numbers are
in `minigrad.ops.loss_value`, margin losses in `minigrad.ops.loss_margin`.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import dtype
from minigrad.engine import Array
from minigrad.ops.activation import logsigmoid
from minigrad.ops.comparison import clamp, ne, where
from minigrad.ops.elementwise import log, mul, sigmoid
from minigrad.ops.indexing import _place
from minigrad.ops.record import Draw, F, Operand, Sample, composed, operation
from minigrad.ops.reduction import log_softmax, mean, softmax, sum, total
from minigrad.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")
LEGACY = ("size_average", "reduce")  # torch's arguments before there was `reduction`


def loss(
    sample: Sample, reductions: Sequence[str] = REDUCTIONS, functional: Sequence[str] | None = LEGACY, **settings: Any
) -> Callable[[F], F]:
    """The record of a loss: a function of torch.nn.functional; the tests draw its `reduction`."""

    def drawn(d: Draw) -> tuple[Any, ...]:
        args = sample(d)
        keywords = args[-1] if isinstance(args[-1], dict) else {}
        return *(args[:-1] if keywords else args), {**keywords, "reduction": d.choice(reductions)}

    def register(function: F) -> F:
        torch = f"nn.functional.{function.__name__}"
        return composed(torch=torch, functional=functional, sample=drawn, **settings)(function)

    return register


def reduced(losses: Any, reduction: str, weight: Any = None) -> Any:
    """The mean, the sum, or the losses themselves, each times its `weight`.

    Raises:
        ValueError: for an unknown `reduction`.
    """
    if weight is not None:
        losses = losses * weight
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    checked(reduction)
    return losses


def checked(reduction: str) -> str:
    """The reduction itself, if it is known.

    Raises:
        ValueError: if not.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction; it is 'mean', 'sum' or 'none'")
    return reduction


def same_size(what: str, input: Any, target: Any) -> None:
    """Check that shapes are equal: elementwise losses do not broadcast, which is nearly always a mistake.

    Raises:
        ValueError: if the shapes differ.
    """
    if input.shape != target.shape:
        raise ValueError(
            f"{what}: target size ({list(target.shape)}) must be the same as input size ({list(input.shape)})"
        )


# ---- many classes ----------------------------------------------------------------------------------------


def chosen(input: Array, target: Array, ignore_index: int) -> tuple[Array, Array, Array | None]:
    """The places of the classes `target` (N,) in `input` (N, C): rows, columns, and whether each counts (None: all do).

    Raises:
        IndexError: if a class is out of bounds.
    """
    n, classes = input.shape
    rows = np.arange(n)
    plain = n and target.dtype == np.int64 and not 0 <= ignore_index < classes
    if plain and np.maximum.reduce(target.view(np.uint64)) < classes:  # a negative number is a large unsigned one
        return rows, target, None
    counted = target != ignore_index
    columns = np.where(counted, target, 0)
    if n and not (columns.min() >= 0 and columns.max() < classes):
        bad = columns[(columns < 0) | (columns >= classes)][0]
        raise IndexError(
            f"Target {bad} is out of bounds: the input of shape {list(input.shape)} has {classes} classes."
        )
    return rows, columns, counted


@operation(
    {"input": lambda g, input_shape, saved: _place(_of_counted(g, *saved[2:]), input_shape, saved[:2])},
    saves=True,
    sample=lambda d: (d.array((3, 4)), d.integers((3,), 4), None, d.choice([-100, 1]), d.choice(["sum", "none"])),
)
def _nll_loss(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """Minus the log-probability of each row's class: input (N, C), target (N,) → () or (N,)."""
    rows, columns, counted = chosen(input, target, ignore_index)
    number = input.dtype.type
    weights = np.ones(len(rows), number) if weight is None else weight[columns].astype(number, copy=False)
    if counted is not None:
        weights = np.where(counted, weights, number(0))
    denominator = weights.sum(dtype=np.float64) if reduction == "mean" else 1
    weights = (-weights / np.result_type(number, np.float32).type(denominator or 1)).astype(number, copy=False)
    losses = input[rows, columns] * weights
    if counted is not None:
        losses[~counted] = 0
    result = losses if reduction == "none" else total(losses)
    return (result if denominator else number(np.nan)), (rows, columns, weights, counted)  # the mean of nothing is nan


def _of_counted(g: Any, weights: Any, counted: Any) -> Any:
    return g * weights if counted is None else where(counted, g * weights, 0.0)


def _softmax_minus_target(g: Any, input: Any, saved: Any) -> Any:
    """``(softmax(input) - one_hot(target)) * g / count``, and 0 in rows that do not count."""
    probabilities, places, counted, count = saved
    g = g / count
    if isinstance(g, Tensor):
        one_hot = np.zeros_like(probabilities)
        one_hot.reshape(-1)[places] = 1
        gradient = (softmax(input, 1) - Tensor.wrap(one_hot)) * g
        return gradient if counted is None else where(counted[:, None], gradient, 0.0)
    gradient = probabilities * g
    gradient.reshape(-1)[places] -= g
    if counted is not None:
        gradient[~counted] = 0
    return gradient


@operation(
    {"input": _softmax_minus_target},
    saves=True,
    grad_fn="NllLossBackward0",
    sample=lambda d: (_far_rows(d, (3, 4)), d.integers((3,), 4), d.choice([-100, 1]), "sum"),
)
def _softmax_nll(input: Any, target: Any, ignore_index: int, reduction: str) -> Any:
    """``-sum(log_softmax(input)[i, target[i]])``, or the mean, in one step: input (N, C), target (N,) → ()."""
    rows, columns, counted = chosen(input, target, ignore_index)
    dtype = input.dtype
    if dtype == np.float16:
        input = input.astype(np.float32)
    places = rows * input.shape[1] + columns  # in one dimension, which NumPy indexes faster
    z = np.subtract(input, np.maximum.reduce(input, axis=1, keepdims=True), order="C")
    e = np.exp(z)
    sums = np.add.reduce(e, axis=1, keepdims=True)
    losses = np.log(sums[:, 0])
    losses -= z.reshape(-1)[places]
    e /= sums
    n = len(target)
    if counted is not None:
        losses, n = np.where(counted, losses, input.dtype.type(0)), int(counted.sum())
    count = n if reduction == "mean" else 1
    result = np.add.reduce(losses) / input.dtype.type(count) if count else input.dtype.type(np.nan)
    return result.astype(dtype), (e.astype(dtype, copy=False), places, counted, count or 1)


def _far_rows(d: Any, shape: tuple[int, int]) -> Any:
    """Scores with one row far from the others, to test that each row is normalised separately."""
    scores = d.array(shape)
    scores[0] += 800
    return scores


def _class_sample(d: Any, smooth: bool = False) -> tuple[Any, ...]:
    c = d.integer(2, 4)
    shape = d.choice([(3, c), (c,), (2, c, 3)])
    target = np.asarray(d.integers(shape[2:] if len(shape) == 1 else (shape[0], *shape[2:]), c))
    weight = d.choice([None, d.constant((c,), low=0.5, high=2.0)])
    options: dict[str, Any] = {"weight": weight, "ignore_index": d.choice([-100, 0])}
    if d.boolean():
        return _far_rows(d, (3, c)), d.integers((3,), c)
    return d.array(shape), target, options | ({"label_smoothing": d.choice([0.0, 0.2])} if smooth else {})


def _distribution_sample(d: Any) -> tuple[Any, ...]:
    c = d.integer(2, 4)
    shape = d.choice([(3, c), (c,), (2, c, 3)])
    weight = d.choice([None, d.constant((c,), low=0.5, high=2.0)])
    options = {"weight": weight, "label_smoothing": d.choice([0.0, 0.2])}
    return d.array(shape), d.array(shape, low=0.0, high=1.0), options


@loss(_class_sample, dtypes="f")
def nll_loss(
    input: Operand, target: Operand, weight: Operand = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood: minus the log-probability in `input` of the class in `target`.

    Args:
        input: log-probabilities (N, C), (C,) or (N, C, d1, …).
        target: classes, int64, (N,), () or (N, d1, …).
        weight: a weight for each class (C,); the mean is then a weighted mean.
        ignore_index: a class that is not counted.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        IndexError: if a class is out of bounds.
        ValueError: if the batch sizes differ.

    >>> import minigrad
    >>> F = minigrad.nn.functional
    >>> F.nll_loss(minigrad.tensor([[-0.5, -1.0]]), minigrad.tensor([1]))
    tensor(1.)
    """
    if reduction not in REDUCTIONS:
        reduced(None, reduction)
    shape, given = tuple(input.shape), tuple(target.shape)
    if target.array.dtype.kind not in "iu":
        raise RuntimeError(f"expected target of class indices (int64), but got {dtype.known[target.array.dtype]}")
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if not shape or len(given) != len(expected):
        raise RuntimeError(
            f"nll_loss: input of shape {list(shape)} needs a target of shape {list(expected)}, not {list(given)}"
        )
    if given[:1] != expected[:1]:
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({given[0]}).")
    if given != expected:
        raise RuntimeError(
            f"Expected target size {list(expected)}, got {list(given)} (for an input of size {list(shape)})"
        )
    classes = shape[min(len(shape) - 1, 1)]
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"
        )
    if len(shape) == 2:
        return _nll_loss(input, target, weight, ignore_index, reduction)
    rows = input.movedim(1, -1) if len(shape) > 2 else input
    out = _nll_loss(rows.reshape(target.numel(), classes), target.reshape(-1), weight, ignore_index, reduction)
    return out.reshape(given) if reduction == "none" else out


@loss(lambda d: _class_sample(d, smooth=True) if d.boolean() else _distribution_sample(d), dtypes="f")
def cross_entropy(
    input: Operand,
    target: Operand,
    weight: Operand = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy of the softmax of `input` with `target`: ``nll_loss(log_softmax(input), target)``.

    Args:
        input: scores (N, C), (C,) or (N, C, d1, …), before any softmax.
        target: classes, int64, of the shape of `input` without C; or probabilities of the shape of `input`.
        weight: a weight for each class (C,).
        ignore_index: a class that is not counted.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: the fraction of each target that is spread evenly over all classes (Szegedy et al. 2016).

    Raises:
        IndexError: if a class is out of bounds.
        ValueError: if the batch sizes differ.

    >>> import minigrad
    >>> scores = minigrad.tensor([[0.0, 0.0], [1000.0, 999.0]])
    >>> minigrad.nn.functional.cross_entropy(scores, minigrad.tensor([0, 0]), reduction="none")
    tensor([0.6931, 0.3133])
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    x, t = input.array, target.array
    at = 0 if x.ndim == 1 else 1
    if x.ndim == 0:
        raise RuntimeError("cross_entropy: input needs a dimension of classes, but it is 0-d")
    plain = weight is None and not label_smoothing and reduction in ("mean", "sum")
    if plain and x.ndim == 2 and t.shape == x.shape[:1] and t.dtype.kind in "iu" and x.size:
        return _softmax_nll(input, target, ignore_index, reduction)
    scores = log_softmax(input, at)
    if t.dtype.kind != "f":
        loss = nll_loss(scores, target, weight, ignore_index, reduction)
        if not label_smoothing:
            return loss
        counted = ne(target, ignore_index)
        smooth = where(counted, -sum(_weighted(scores, weight, at), at), 0.0)
        if reduction == "mean":
            shares = 1.0 if weight is None else weight[where(counted, target, 0)]
            smooth = sum(smooth) / sum(where(counted, shares, 0.0))
        elif reduction == "sum":
            smooth = sum(smooth)
        return loss * (1 - label_smoothing) + smooth * (label_smoothing / x.shape[at])
    if t.ndim < x.ndim:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype}")
    if t.shape != x.shape:
        raise ValueError(
            f"Expected target probabilities of the shape of the input {list(x.shape)}, but got {list(t.shape)}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / x.shape[at]
    losses = -sum(_weighted(scores, weight, at) * target, at)
    if reduction == "mean":
        return sum(losses) / losses.numel()
    return reduced(losses, reduction)


def _weighted(scores: Any, weight: Any, at: int) -> Any:
    if weight is None:
        return scores
    return mul(scores, weight.reshape((-1,) + (1,) * (scores.ndim - at - 1)))


# ---- two classes, probabilities ----------------------------------------------------------------------------


def _probabilities(d: Any) -> tuple[Any, ...]:
    shape = d.shape()
    return d.array(shape, low=0.1, high=0.9), d.array(shape, low=0.0, high=1.0)


@operation(
    {
        "input": lambda g, input, target: (  # torch's, with its 1e-12
            g * (input * input - 2 * input * target + target) / ((input + 1e-12) * (1 - input + 1e-12)) ** 2
        ),
        "target": lambda g, input: -g / clamp(input * (1 - input), 1e-12, None),
    },
    grad_fn="BinaryCrossEntropyBackwardBackward0",
    sample=_probabilities,
)
def _binary_cross_entropy_slope(input: Any, target: Any) -> Any:
    """``(p - t) / (p (1 - p))``, the denominator at least 1e-12."""
    return (input - target) / np.maximum(input * (1 - input), 1e-12)


@operation(
    {
        "input": lambda g, input, target, mean: (
            _per_element(g, input, mean) * _binary_cross_entropy_slope(input, target)
        ),
        "target": lambda g, input, mean: _per_element(g, input, mean) * (log(1 - input) - log(input)),
    },
    sample=lambda d: (*_probabilities(d), d.boolean()),
)
def _binary_cross_entropy(input: Any, target: Any, mean: bool = False) -> Any:
    """``-(t ln p + (1 - t) ln(1 - p))``, each logarithm at least -100; with `mean` the mean of all."""
    losses = (target - 1) * np.maximum(np.log1p(-input), -100) - target * np.maximum(np.log(input), -100)
    total = np.add.reduce(losses, None)
    if np.isnan(total) and not (np.minimum.reduce(input, None) >= 0 and np.maximum.reduce(input, None) <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    return total / input.size if mean else losses


def _per_element(g: Any, input: Any, mean: bool) -> Any:
    return g / math.prod(input.shape) if mean else g


@loss(_probabilities, dtypes="f")
def binary_cross_entropy(input: Operand, target: Operand, weight: Operand = None, reduction: str = "mean") -> Any:
    """The cross-entropy of probabilities `input` with `target`, both in [0, 1]; logarithms are at least -100.

    Raises:
        RuntimeError: if `input` is not in [0, 1].
        ValueError: if the shapes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.binary_cross_entropy(minigrad.tensor([0.0]), minigrad.tensor([1.0]))
    tensor(100.)
    """
    same_size("binary_cross_entropy", input, target)
    if input.dtype != target.dtype:
        found, expected = (x.dtype.name for x in (target, input))
        raise RuntimeError(f"Found dtype {found} but expected {expected}")
    if reduction == "mean" and weight is None and input.numel():
        return _binary_cross_entropy(input, target, True)
    return reduced(_binary_cross_entropy(input, target), reduction, weight)


@operation(
    {"input": lambda g, input, target: g * (sigmoid(input) - target), "target": lambda g, input: g * -input},
    grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    sample=lambda d: (d.array((3, 2)), d.array((3, 2), low=0.0, high=1.0)),
)
def _bce_with_logits(input: Any, target: Any) -> Any:
    """``(1 - t) x - min(x, 0) + ln(1 + e^-|x|)``."""
    return (1 - target) * input - (np.minimum(input, 0) - np.log1p(np.exp(-np.abs(input))))


@loss(lambda d: (d.array((3, 2)), d.array((3, 2), low=0.0, high=1.0)), dtypes="f")
def binary_cross_entropy_with_logits(
    input: Operand, target: Operand, weight: Operand = None, reduction: str = "mean", pos_weight: Operand = None
) -> Any:
    """`binary_cross_entropy` of ``sigmoid(input)``, computed without overflow.

    Args:
        input: scores, any shape.
        target: probabilities, of the same shape.
        weight: a weight for each element (broadcast).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: a weight for the positive part of each element's loss (broadcast).

    Raises:
        ValueError: if the shapes differ.
        RuntimeError: if the target is not of floats.

    >>> import minigrad
    >>> minigrad.nn.functional.binary_cross_entropy_with_logits(minigrad.tensor([-1000.0]), minigrad.tensor([1.0]))
    tensor(1000.)
    """
    same_size("binary_cross_entropy_with_logits", input, target)
    if isinstance(target, Tensor) and not target.is_floating_point():
        raise RuntimeError(f"the target of binary_cross_entropy_with_logits must consist of floats, not {target.dtype}")
    if pos_weight is None:
        losses = _bce_with_logits(input, target)
    else:  # (1 - t) x + (1 + (q - 1) t) softplus(-x)
        losses = (1 - target) * input - ((pos_weight - 1) * target + 1) * logsigmoid(input)
    return reduced(losses, reduction, weight)
