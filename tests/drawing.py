"""Draws the arguments that a record's sample asks for, and checks gradients against numerical ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import minigrad
from minigrad import Tensor

GRADIENT_TOLERANCE = 1e-6  # relative, float64; the fourth-order differences below are good to about 1e-9
STEP = 1e-3


def examples(quick):
    """How many programs hypothesis makes up: in the thorough profile 20,000."""
    return {"thorough": 20_000, "ci": quick}.get(os.environ.get("HYPOTHESIS_PROFILE", "ci"), quick // 3)


class Constant(np.ndarray):
    """An argument that no gradient flows to."""


@dataclass
class HypothesisDraw:
    """`minigrad.ops.record.Draw`: hypothesis decides on shapes and choices, a seeded generator on the values."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    smooth: bool
    dtypes: Sequence[str] = ("float64",)
    mixed: bool = False

    def __post_init__(self) -> None:
        self.seed = self.draw(st.integers(0, 2**32 - 1))
        self.rng = np.random.default_rng(self.seed)
        self.dtype = self.choice(self.dtypes)

    def array(
        self, shape=None, *, low=-3.0, high=3.0, kinks=(), distinct=False, ties=True, min_ndim=0, max_ndim=3, min_size=0
    ) -> np.ndarray:
        if shape is None:
            shape = self.shape(min_ndim, max_ndim, min_size)
        shape = tuple(shape)
        if self.smooth or not ties:
            values = self._smooth(shape, low, high, kinks, distinct)
        else:
            grid = np.unique([*np.linspace(low, high, 7), *np.clip([-1, 0, 1], low, high), *kinks])
            grid = grid[(grid >= low) & (grid <= high)]
            if self.rng.random() < 0.5:  # of two values, so that some tie for the first place in most arrays
                grid = self.rng.choice(grid, 2)
            values = self.rng.choice(grid, shape)
        dtype = self.choice(self.dtypes) if self.mixed else self.dtype
        if not ties and not dtype.startswith("float"):
            dtype = "float32"
        return self._laid_out(np.asarray(values)).astype(dtype, copy=False)

    def _smooth(self, shape, low, high, kinks, distinct):
        n = int(np.prod(shape))
        if distinct:
            values = np.linspace(low, high, max(n, 2) + 2)[1 : n + 1]
            values = values[self.rng.permutation(n)] + self.rng.uniform(-0.1, 0.1, n) * (high - low) / (n + 3)
        else:
            values = self.rng.uniform(low, high, n)
        for kink in kinks:
            near = np.abs(values - kink) < 0.05
            values = np.where(near, kink + np.where(values >= kink, 0.05, -0.05), values)
        return values.reshape(shape)

    def _laid_out(self, values):
        """The same values, C-ordered, Fortran-ordered, as every second element, or with a negative stride."""
        layout = self.draw(st.sampled_from(["C", "F", "spaced", "reversed"]))
        if values.ndim == 0 or layout == "C":
            return np.ascontiguousarray(values).reshape(values.shape)
        if layout == "F":
            return np.asfortranarray(values)
        if layout == "reversed":
            return np.ascontiguousarray(values[..., ::-1])[..., ::-1]
        spaced = np.zeros((*values.shape[:-1], 2 * values.shape[-1]))
        spaced[..., ::2] = values
        return spaced[..., ::2]

    def constant(self, shape, low, high):
        return self.array(shape, low=low, high=high).view(Constant)

    def operands(self, n, **limits):
        full = self.shape(0, 3)
        shapes = [tuple(1 if self.boolean() else m for m in full[self.integer(0, len(full)) :]) for _ in range(n)]
        shapes[self.integer(0, n - 1)] = full
        arrays = tuple(self.array(shape, **limits) for shape in shapes)
        if not (self.smooth and limits.get("distinct")):
            return arrays
        return tuple(
            np.asarray(np.round(a, 1) + i / (10 * n)) for i, a in enumerate(arrays)
        )  # no two operands come close

    def shape(self, min_ndim=0, max_ndim=3, min_size=0, max_size=4):
        size = st.integers(max(min_size, 1), max_size) if self.integer(0, 7) else st.integers(min_size, max_size)
        return tuple(self.draw(size) for _ in range(self.integer(min_ndim, max_ndim)))

    def integer(self, low, high):
        return self.draw(st.integers(low, high))

    def integers(self, shape, high):
        return np.asarray(self.rng.integers(0, high, shape))

    def mask(self, shape):
        return np.asarray(self.rng.random(shape) < 0.5)

    def dim(self, ndim):
        return self.integer(-max(ndim, 1), max(ndim, 1) - 1)

    def dims(self, ndim):
        if ndim == 0 or self.integer(0, 2) == 0:
            return None
        if self.boolean():
            return self.dim(ndim)
        picked = self.draw(st.lists(st.integers(0, ndim - 1), min_size=1, unique=True))
        return tuple(d - ndim if self.boolean() else d for d in picked)

    def boolean(self):
        return self.draw(st.booleans())

    def choice(self, options):
        return self.draw(st.sampled_from(list(options)))


def map_arrays(function: Callable[[np.ndarray], Any], value: Any) -> Any:
    """Apply `function` to every array in nested tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        return function(value)
    if isinstance(value, dict):
        return {key: map_arrays(function, v) for key, v in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(map_arrays(function, v) for v in value)
    return value


def is_tracked(a: np.ndarray) -> bool:
    """Whether a test takes the gradient with respect to this argument."""
    return a.dtype.kind == "f" and not isinstance(a, Constant)


def split_keywords(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A sample whose last element is a dict gives its keywords there."""
    return (args[:-1], args[-1]) if args and isinstance(args[-1], dict) else (args, {})


def float_results(result: Any) -> list[Any]:
    """The floating-point tensors among an operation's results."""
    results = result if isinstance(result, (tuple, list)) else [result]
    return [r for r in results if hasattr(r, "dtype") and r.dtype.is_floating_point]


def check_gradients(call: Callable[..., Any], args: tuple[Any, ...], rng: np.random.Generator, order: int = 2) -> None:
    """Compare gradients of `call` with numerical ones along a random direction, with a random cotangent."""
    places: list[np.ndarray] = []
    map_arrays(lambda a: places.append(a) if is_tracked(a) else None, args)
    before = [a.copy() for a in places]

    def run(values: list[np.ndarray], track: bool) -> tuple[list[Tensor], list[Tensor]]:
        given = iter(values)
        inputs: list[Tensor] = []

        def as_tensor(a: np.ndarray) -> Tensor:
            if not is_tracked(a):
                return Tensor.wrap(np.asarray(a))
            inputs.append(Tensor.wrap(next(given)))
            inputs[-1].requires_grad = track
            return inputs[-1]

        positional, keywords = split_keywords(map_arrays(as_tensor, args))
        return inputs, float_results(call(*positional, **keywords))

    inputs, outputs = run(places, True)
    if not any(out.requires_grad for out in outputs):
        assert not outputs or not inputs, "no result carries a gradient"
        return
    outputs = [out for out in outputs if out.requires_grad]
    kept = [i for i, out in enumerate(run(places, True)[1]) if out.requires_grad]
    cotangents = [rng.uniform(-1, 1, out.shape) for out in outputs]
    directions = [rng.uniform(-1, 1, a.shape) for a in places]
    turns = [rng.uniform(-1, 1, u.shape) for u in cotangents]
    weights = [rng.uniform(-1, 1, a.shape) for a in places]

    def moved(arrays: list[np.ndarray], along: list[np.ndarray], t: float) -> list[np.ndarray]:
        return [a + t * d for a, d in zip(arrays, along, strict=True)]

    def value(t: float) -> float:
        results = run(moved(places, directions, t), False)[1]
        return sum(float((u * results[i].array).sum()) for u, i in zip(cotangents, kept, strict=True))

    def first(values: list[np.ndarray], us: list[np.ndarray], graph: bool) -> tuple[list[Any], list[Any], list[Any]]:
        xs, ys = run(values, True)
        seeds = [Tensor.wrap(u) for u in us]
        for seed in seeds:
            seed.requires_grad = graph
        picked = [ys[i] for i in kept]
        grads = minigrad.autograd.grad(picked, xs, seeds, create_graph=graph, allow_unused=True)
        return xs, seeds, list(grads)

    def dot(grads: list[Any], along: list[np.ndarray]) -> float:
        return sum(float((g.array * d).sum()) for g, d in zip(grads, along, strict=True) if g is not None)

    xs, seeds, grads = first(places, cotangents, False)
    for x, g in zip(xs, grads, strict=True):
        assert g is None or (g.shape == x.shape and g.dtype == x.dtype)
    if np.isnan(value(0.0)):
        return  # the mean of nothing
    close(dot(grads, directions), difference(value), "gradient")
    for a, b in zip(places, before, strict=True):
        np.testing.assert_array_equal(a, b, err_msg="an input was modified")
    if order < 2:
        return

    xs, seeds, grads = first(places, cotangents, True)
    total = [
        (g * Tensor.wrap(w)).sum() for g, w in zip(grads, weights, strict=True) if g is not None and g.requires_grad
    ]
    second = [None] * (len(xs) + len(seeds))
    if total:
        second = list(minigrad.autograd.grad(sum(total[1:], total[0]), [*xs, *seeds], allow_unused=True))

    def slope(t: float) -> float:
        return dot(first(moved(places, directions, t), moved(cotangents, turns, t), False)[2], weights)

    close(dot(second, [*directions, *turns]), difference(slope), "second derivative")


def difference(f: Callable[[float], float]) -> float:
    """The derivative of `f` at 0 by central differences of fourth order."""
    return (8 * (f(STEP) - f(-STEP)) - (f(2 * STEP) - f(-2 * STEP))) / (12 * STEP)


def close(analytic: float, numeric: float, what: str) -> None:
    scale = max(abs(analytic), abs(numeric), 1.0)
    assert abs(analytic - numeric) <= GRADIENT_TOLERANCE * scale, (
        f"{what}: {analytic} from the rules, {numeric} numerically"
    )
