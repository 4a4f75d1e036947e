"""How wrong a prediction is: the losses.

`reduction` is ``"mean"``, ``"sum"`` or ``"none"``. The functions are torch.nn.functional's.
https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.dtypes import dtype
from minigrad.engine import Array
from minigrad.ops.elementwise import abs, clamp, log, mul, pow, where
from minigrad.ops.record import composed, operation, public
from minigrad.ops.reduction import log_softmax, mean, softmax, sum
from minigrad.tensor import Tensor
from minigrad.watch import call, decide


def reduced(losses: Any, reduction: str) -> Any:
    """The mean, the sum, or the losses themselves.

    Raises:
        ValueError: for any other word.
    """
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction != "none":
        raise ValueError(f"{reduction} is not a valid value for reduction; it is 'mean', 'sum' or 'none'")
    return losses


def same_size(what: str, input: Any, target: Any) -> None:
    """Losses that compare element by element do not broadcast: that is nearly always a mistake.

    Raises:
        ValueError: if the shapes differ.
    """
    if input.shape != target.shape:
        raise ValueError(
            f"{what}: target size ({list(target.shape)}) must be the same as input size ({list(input.shape)})"
        )


# ---- classification --------------------------------------------------------------------------------------


class Rows(NamedTuple):
    """Which number of each row a loss reads, and with which weight."""

    rows: Array
    columns: Array
    weights: Array


@operation(
    {"input": lambda g, rows: _pick_rows(g, rows)},
    methods=[],
    torch="",
    grad_fn="NllLossBackwardBackward0",
    sample=lambda d: (d.array((2,)), Rows(np.arange(2), d.integers((2,), 3), np.array([0.5, 2.0])), (2, 3)),
)
def _scatter_rows(input: Any, rows: Any, shape: tuple[int, ...]) -> Any:
    """A matrix of zeros, with ``-w[i] * input`` (or ``input[i]``) in row i at column ``target[i]``."""
    index, target, weights = rows
    out = np.zeros(shape, dtype=input.dtype)
    out[index, target] = weights * input
    return out


def _pick_rows(g: Any, rows: Any) -> Any:
    index, target, weights = rows
    return g[index, target] * weights


@operation(
    {"input": lambda g, saved, input_shape: _scatter_rows(g, saved, input_shape)},
    saves=True,
    methods=[],
    torch="",
    grad_fn="NllLossBackward0",
    sample=lambda d: (d.array((3, 4)), d.integers((3,), 4), None, d.choice([-100, 1]), d.choice(["sum", "none"])),
)
def _nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Minus the log-probability of each row's class: input (N, C), target (N,) → () or (N,)."""
    classes = input.shape[1]
    index = np.arange(len(target))
    counted = target != ignore_index
    everything = bool(counted.all())
    where_ = target if everything else np.where(counted, target, 0)
    if len(where_) and (where_.min() < 0 or where_.max() >= classes):
        bad = where_[(where_ < 0) | (where_ >= classes)][0]
        raise IndexError(
            f"Target {bad} is out of bounds: the input of shape {list(input.shape)} has {classes} classes."
        )
    weights: Any = -1.0 if weight is None else -weight[where_].astype(input.dtype, copy=False)
    if not everything:
        weights = weights * counted.astype(input.dtype)
    if reduction == "mean":
        total = float(np.sum(-np.broadcast_to(weights, target.shape), dtype=np.float64))
        if not total:  # nothing is counted: the mean of nothing is nan, and nothing has a gradient
            return input.dtype.type(np.nan), Rows(index, where_, np.zeros_like(input, shape=len(target)))
        weights = weights / input.dtype.type(total)
    picked = input[index, where_] * weights
    if not everything:
        picked = np.where(counted, picked, input.dtype.type(0))
    result = picked.astype(input.dtype, copy=False)
    weights = np.asarray(weights, dtype=input.dtype)
    return (result if reduction == "none" else np.add.reduce(result)), Rows(index, where_, weights)


def _far_rows(d: Any, shape: tuple[int, int]) -> Any:
    """Scores of which one row lies far from the others: each row is to be normalised by itself."""
    scores = d.array(shape)
    scores[0] += 800
    return scores


def _class_sample(d: Any, smooth: bool = False) -> tuple[Any, ...]:
    c = d.integer(2, 4)
    shape = d.choice([(3, c), (c,), (2, c, 3)])
    target = np.asarray(d.integers(shape[2:] if len(shape) == 1 else (shape[0], *shape[2:]), c))
    options = {
        "weight": d.choice([None, d.constant((c,), low=0.5, high=2.0)]),
        "ignore_index": d.choice([-100, 0]),
        "reduction": d.choice(["mean", "sum", "none"]),
    }
    if d.boolean():
        return _far_rows(d, (3, c)), d.integers((3,), c), {"reduction": options["reduction"]}
    return d.array(shape), target, options | ({"label_smoothing": d.choice([0.0, 0.2])} if smooth else {})


def _distribution_sample(d: Any) -> tuple[Any, ...]:
    c = d.integer(2, 4)
    shape = d.choice([(3, c), (c,), (2, c, 3)])
    weight = d.choice([None, d.constant((c,), low=0.5, high=2.0)])
    options = {
        "weight": weight,
        "reduction": d.choice(["mean", "sum", "none"]),
        "label_smoothing": d.choice([0.0, 0.2]),
    }
    return d.array(shape), d.array(shape, low=0.0, high=1.0), options


@composed(methods=[], torch="nn.functional.nll_loss", sample=_class_sample)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood: minus the log-probability that `input` gives to the class in `target`.

    Args:
        input: log-probabilities (N, C), (C,) or (N, C, d1, …).
        target: classes, int64, (N,), () or (N, d1, …).
        weight: of each class (C,); the mean is then a weighted one.
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
    if reduction not in ("mean", "sum", "none"):
        reduced(None, reduction)
    classes = target.array if isinstance(target, Tensor) else np.asarray(target)
    if classes.dtype.kind not in "iu":
        raise RuntimeError(f"expected target of class indices (int64), but got {dtype.known[classes.dtype]}")
    if input.ndim == 0 or classes.ndim != max(input.ndim - 1, 0):
        expected = [*input.shape[:1], *input.shape[2:]] if input.ndim > 1 else []
        raise RuntimeError(
            f"nll_loss: input of shape {list(input.shape)} needs a target of shape {expected}, "
            f"not {list(classes.shape)}"
        )
    if input.ndim > 1 and input.shape[0] != classes.shape[0]:
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({classes.shape[0]})."
        )
    if input.ndim > 2 and tuple(input.shape[2:]) != classes.shape[1:]:
        wanted = [input.shape[0], *input.shape[2:]]
        raise RuntimeError(
            f"Expected target size {wanted}, got {list(classes.shape)} (for an input of size {list(input.shape)})"
        )
    n_classes = input.shape[0] if input.ndim == 1 else input.shape[1]
    if weight is not None and tuple(weight.shape) != (n_classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {n_classes} classes or no classes but got weight tensor "
            f"of shape: {list(weight.shape)}"
        )
    rows = input
    if input.ndim == 1:
        rows = input.unsqueeze(0)
    elif input.ndim > 2:
        rows = input.movedim(1, -1).reshape(-1, n_classes) if input.numel() else input.reshape(0, n_classes)
    out = _nll_loss(rows, classes.reshape(-1), weight, ignore_index, reduction)
    return out.reshape(classes.shape) if reduction == "none" and input.ndim != 2 else out


@composed(
    methods=[],
    torch="nn.functional.cross_entropy",
    sample=lambda d: _class_sample(d, smooth=True) if d.boolean() else _distribution_sample(d),
)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy of the softmax of `input` with `target`: ``nll_loss(log_softmax(input), target)``.

    Args:
        input: scores (N, C), (C,) or (N, C, d1, …), before any softmax.
        target: classes, int64, of the shape of `input` without C; or probabilities of the shape of `input`.
        weight: of each class (C,).
        ignore_index: a class that is not counted.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: this share of each target is spread evenly over all classes (Szegedy et al. 2016).

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
    at = 0 if input.ndim == 1 else 1
    if input.ndim == 0:
        raise RuntimeError("cross_entropy: input needs a dimension of classes, but it is 0-d")
    indices = not target.is_floating_point()
    plain = indices and weight is None and not label_smoothing and reduction in ("mean", "sum")
    plain = plain and input.ndim == 2 and target.array.shape == input.array.shape[:1]
    if plain and decide(all_in_range, target.array, input.array.shape[1], ignore_index):
        return _softmax_nll(input, target, len(target.array) if reduction == "mean" else 1)
    scores = log_softmax(input, at)
    if indices:
        loss = nll_loss(scores, target, weight, None, ignore_index, None, reduction)
        if not label_smoothing:
            return loss
        smooth = -_weighted(scores, weight, at).sum(at)
        counted = target.array != ignore_index
        smooth = where(counted, smooth, 0.0)
        if reduction == "mean":
            shares = np.ones(counted.shape) if weight is None else weight.array[np.where(counted, target.array, 0)]
            smooth = smooth.sum() / float((shares * counted).sum())
        elif reduction == "sum":
            smooth = smooth.sum()
        return loss * (1 - label_smoothing) + smooth * (label_smoothing / input.shape[at])
    if target.ndim < input.ndim:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype}")
    if tuple(target.shape) != tuple(input.shape):
        raise ValueError(
            f"Expected target probabilities of the shape of the input {list(input.shape)}, but got {list(target.shape)}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[at]
    losses = -sum(_weighted(scores, weight, at) * target, at)
    if reduction == "mean":
        return sum(losses) / max(losses.numel(), 1)
    return reduced(losses, reduction)


def all_in_range(target: Array, classes: int, ignore_index: int) -> bool:
    """Whether every class is one of 0 … `classes` - 1, and none is to be ignored."""
    if not target.size or target.dtype != np.int64 or 0 <= ignore_index < classes:
        return False
    return bool(np.maximum.reduce(target.view(np.uint64)) < classes)  # a negative number is a large unsigned one


def _softmax_minus_target(g: Any, input: Any, target: Any, count: Any, saved: Any) -> Any:
    """``(softmax(input) - one_hot(target)) * g / count``."""
    probabilities, rows = saved
    g = g / count
    if isinstance(g, Tensor):
        one_hot = np.zeros_like(probabilities)
        one_hot[rows, target.array] = 1
        return (softmax(input, 1) - Tensor.wrap(one_hot)) * g
    gradient = probabilities * g
    gradient[rows, target] -= g
    return gradient


@operation(
    {"input": _softmax_minus_target},
    saves=True,
    methods=[],
    torch="",
    grad_fn="NllLossBackward0",
    sample=lambda d: (_far_rows(d, (3, 4)), d.integers((3,), 4), 3),
)
def _softmax_nll(input: Any, target: Any, count: int) -> Any:
    """``-sum(log_softmax(input)[i, target[i]]) / count`` in one step: input (N, C), target (N,) → ()."""
    rows = np.arange(len(target))
    z = input - np.maximum.reduce(input, axis=1, keepdims=True)
    e = np.exp(z)
    total = np.add.reduce(e, axis=1, keepdims=True)
    losses = np.log(total[:, 0])
    losses -= z[rows, target]
    e /= total
    return np.add.reduce(losses) / input.dtype.type(count), (e, rows)


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
    methods=[],
    torch="",
    grad_fn="BinaryCrossEntropyBackwardBackward0",
    sample=_probabilities,
)
def _binary_cross_entropy_slope(input: Any, target: Any) -> Any:
    """``(p - t) / (p (1 - p))``, the denominator at least 1e-12."""
    return (input - target) / np.maximum(input * (1 - input), 1e-12)


@operation(
    {
        "input": lambda g, input, target: g * _binary_cross_entropy_slope(input, target),
        "target": lambda g, input: g * (log(1 - input) - log(input)),
    },
    methods=[],
    torch="",
    grad_fn="BinaryCrossEntropyBackward0",
    sample=_probabilities,
)
def _binary_cross_entropy(input: Any, target: Any) -> Any:
    """``-(t ln p + (1 - t) ln(1 - p))``, each logarithm at least -100."""
    if input.size and not (np.minimum.reduce(input, None) >= 0 and np.maximum.reduce(input, None) <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1")
    with np.errstate(divide="ignore"):
        return (target - 1) * np.maximum(np.log1p(-input), -100) - target * np.maximum(np.log(input), -100)


@composed(methods=[], torch="nn.functional.binary_cross_entropy", sample=_probabilities)
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """The cross-entropy of probabilities `input` with `target`, both in [0, 1]; logarithms are at least -100.

    Raises:
        RuntimeError: if `input` is no probability.
        ValueError: if the shapes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.binary_cross_entropy(minigrad.tensor([0.0]), minigrad.tensor([1.0]))
    tensor(100.)
    """
    same_size("binary_cross_entropy", input, target)
    losses = _binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


@operation(
    {
        "input": lambda g, input, target: (
            g * (input.sigmoid() - target if isinstance(input, Tensor) else _sigmoid(input) - target)
        ),
        "target": lambda g, input: g * -input,
    },
    methods=[],
    torch="",
    grad_fn="BinaryCrossEntropyWithLogitsBackward0",
    sample=lambda d: (d.array((3, 2)), d.array((3, 2), low=0.0, high=1.0)),
)
def _bce_with_logits(input: Any, target: Any) -> Any:
    """``max(x, 0) - x t + ln(1 + e^-|x|)``."""
    return np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))


def _sigmoid(x: Any) -> Any:
    from minigrad.ops.elementwise import sigmoid

    return sigmoid(x)


@composed(
    methods=[],
    torch="nn.functional.binary_cross_entropy_with_logits",
    sample=lambda d: (d.array((3, 2)), d.array((3, 2), low=0.0, high=1.0)),
)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy` of ``sigmoid(input)``, computed without overflow.

    Args:
        input: scores, any shape.
        target: probabilities, of the same shape.
        weight: of each element (broadcast).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: of the positive part of each element's loss (broadcast).

    Raises:
        ValueError: if the shapes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.binary_cross_entropy_with_logits(minigrad.tensor([-1000.0]), minigrad.tensor([1.0]))
    tensor(1000.)
    """
    same_size("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        losses = _bce_with_logits(input, target)
    else:  # (1 - t) x + (1 + (q - 1) t) softplus(-x)
        ones = Tensor.wrap(call(np.zeros_like, input.array))
        losses = (1 - target) * input + ((pos_weight - 1) * target + 1) * _bce_with_logits(-input, ones)
    return reduced(losses if weight is None else losses * weight, reduction)


# ---- regression --------------------------------------------------------------------------------------------


def _two_alike(d: Any) -> tuple[Any, ...]:
    shape = d.shape(min_size=1)
    return d.array(shape), d.array(shape), None, None, d.choice(["mean", "sum", "none"])


def weighted(losses: Any, weight: Any, reduction: str, by_weights: bool = True) -> Any:
    """The losses times their weights, reduced; the mean is over the weights' sum (or over all elements).

    Raises:
        ValueError: if the weights have another shape than the losses.
    """
    if weight is None:
        return reduced(losses, reduction)
    if weight.shape != losses.shape:
        raise ValueError(f"Weights and input must have the same size, not {list(weight.shape)}, {list(losses.shape)}")
    if reduction == "mean" and by_weights:
        return sum(losses * weight) / sum(weight)
    return reduced(losses * weight, reduction)


def compared(input: Any, target: Any) -> Any:
    """``input - target``, with torch's warning if the shapes differ.

    Raises:
        RuntimeError: if the shapes do not broadcast.
    """
    if input.shape != target.shape:
        import warnings

        warnings.warn(
            f"Using a target size ({list(target.shape)}) that is different to the input size "
            f"({list(input.shape)}). This will likely lead to incorrect results due to broadcasting. Please ensure "
            "they have the same size.",
            stacklevel=4,
        )
    return input - target


@composed(methods=[], torch="nn.functional.mse_loss", sample=_two_alike)
def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The squared error, each element's times its `weight`; the mean is then divided by the sum of the weights.

    >>> import minigrad
    >>> minigrad.nn.functional.mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    return weighted(pow(compared(input, target), 2), weight, reduction)


@composed(methods=[], torch="nn.functional.l1_loss", sample=_two_alike)
def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean", weight: Any = None
) -> Any:
    """The absolute error, weighted as in `mse_loss`; its derivative at 0 is 0.

    >>> import minigrad
    >>> minigrad.nn.functional.l1_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    return weighted(abs(compared(input, target)), weight, reduction)


if not TYPE_CHECKING:  # type checkers take all public names
    __all__ = [
        name
        for name in public(globals())
        if name not in ("Rows", "compared", "all_in_range", "reduced", "same_size", "weighted")
    ]
