"""L-BFGS, with a line search."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine import Array
from minigrad.grad_mode import recording
from minigrad.optim.optimizer import Optimizer, ParamsT, check_rates, chosen
from minigrad.tensor import Tensor


class Point(NamedTuple):
    """A point ``x + t·d`` on a line: the loss there, its gradient, and its slope along the line."""

    t: float
    loss: float
    gradient: Array
    slope: float


class LBFGS(Optimizer):
    r"""Quasi-Newton: the curvature is estimated from the last steps and changes of the gradient.

    One step makes up to `max_iter` moves, each along :math:`d = −H g`, where :math:`H` is the inverse Hessian
    estimated from the last `history_size` pairs of moves and gradient changes. Source: torch.optim.LBFGS; Nocedal
    and Wright, *Numerical Optimization*, algorithms 7.4, 7.5 (the direction), 3.5 and 3.6 (the line search).

    Args:
        params: see `Optimizer`; only one group.
        lr: length of a move as a fraction of d (with a line search, its first trial).
        max_iter: moves per step.
        max_eval: evaluations of the closure per step; default ``max_iter * 5 // 4``.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when neither the loss nor any parameter changes by more.
        history_size: how many pairs to keep.
        line_search_fn: ``"strong_wolfe"`` or None.

    Raises:
        ValueError: for a negative rate or more than one group.
        AssertionError: from `step`, for a group that was added.
        RuntimeError: from `step`, for an unknown line search.

    >>> import minigrad
    >>> x = minigrad.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = LBFGS([x], line_search_fn="strong_wolfe", max_iter=50)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> loss = optimizer.step(closure)
    >>> print([round(value, 3) for value in x.tolist()])
    [1.0, 1.0]
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_rates(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        names = "lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn"
        super().__init__(params, chosen(locals(), names))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Move the parameters.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss. Called many times.

        Returns:
            What the closure returned first.
        """
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        group = self.param_groups[0]
        lr, tolerance_change = group["lr"], group["tolerance_change"]
        lr = float(lr) if isinstance(lr, Tensor) else lr
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        with recording(True):
            first_loss = closure()
        loss, g = float(first_loss), self._gradient()
        evaluations = 1
        state["func_evals"] += 1
        if _largest(g) <= group["tolerance_grad"]:
            return first_loss

        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(state, g, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = Tensor.wrap(g.copy()), loss
            first = state["n_iter"] == 1
            t = min(1.0, 1.0 / float(np.abs(g).sum())) * lr if first else lr
            state["d"], state["t"] = Tensor.wrap(d), t
            slope = float(g @ d)
            if slope > -tolerance_change:
                break

            previous_loss, spent = loss, 0
            last = iteration == group["max_iter"]
            if group["line_search_fn"]:
                here = Point(0.0, loss, g, slope)
                look, max_ls = functools.partial(self._evaluate, closure, d), group["max_eval"] - evaluations
                found, spent = strong_wolfe(
                    look, t, _largest(d), here, tolerance_change=tolerance_change, max_ls=max_ls
                )
                t, loss, g, _ = found
                state["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                if not last:
                    with recording(True):
                        loss = float(closure())
                    g = self._gradient()
                    spent = 1
            evaluations += spent
            state["func_evals"] += spent
            if (
                last
                or evaluations >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(d * t) <= tolerance_change
                or abs(loss - previous_loss) < tolerance_change
            ):
                break
        return first_loss

    def _direction(self, state: dict[str, Any], g: Array, history_size: int) -> Array:
        """``−H·g`` by the two-loop recursion, after adding the last move to the history."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -g
        changes, moves, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y = g - state["prev_flat_grad"].array
        s = state["d"].array * float(state["t"])
        ys = float(y @ s)
        if ys > 1e-10:
            if len(changes) == history_size:
                del changes[0], moves[0], ro[0]
            changes.append(Tensor.wrap(y))
            moves.append(Tensor.wrap(s))
            ro.append(Tensor.wrap(np.asarray(1.0 / ys, y.dtype)))
            state["H_diag"] = Tensor.wrap(np.asarray(ys / float(y @ y), y.dtype))
        q = -g
        al = [0.0] * len(changes)
        for i in reversed(range(len(changes))):
            al[i] = float(moves[i].array @ q) * float(ro[i])
            q -= al[i] * changes[i].array
        q *= float(state["H_diag"])
        for i in range(len(changes)):
            q += (al[i] - float(changes[i].array @ q) * float(ro[i])) * moves[i].array
        return q

    def _gradient(self) -> Array:
        params = self.param_groups[0]["params"]
        return np.concatenate([np.ravel(np.zeros_like(p.array) if p.grad is None else p.grad.array) for p in params])

    def _move(self, t: float, d: Array) -> None:
        begin = 0
        for p in self.param_groups[0]["params"]:
            end = begin + p.array.size
            p.array += t * d[begin:end].reshape(p.array.shape)
            p.bump()
            begin = end

    def _evaluate(self, closure: Callable[[], Any], d: Array, t: float) -> Point:
        """Evaluate at ``x + t·d``, and go back to x."""
        params = self.param_groups[0]["params"]
        before = [p.array.copy() for p in params]
        self._move(t, d)
        with recording(True):
            loss = float(closure())
        g = self._gradient()
        for p, values in zip(params, before, strict=True):
            p.array[...] = values
            p.bump()
        return Point(t, loss, g, float(g @ d))


def strong_wolfe(
    evaluate: Callable[[float], Point],
    t: float,
    d_norm: float,
    start: Point,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[Point, int]:
    """A point on a line where the loss has fallen enough (c1) and the slope has flattened enough (c2).

    Args:
        evaluate: evaluates ``x + t·d``.
        t: the first trial.
        d_norm: the largest element of d.
        start: the point at t = 0.
        c1, c2: the constants of the strong Wolfe conditions.
        tolerance_change: smallest change of a parameter worth an evaluation.
        max_ls: the largest number of evaluations.

    Returns:
        The point, and how often `evaluate` was called.
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + c1 * point.t * start.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    # step on until an interval is found in which such a point must lie
    previous, new = start, evaluate(t)
    evaluations, rounds, done = 1, 0, False
    while rounds < max_ls:
        if too_high(new) or (rounds > 1 and new.loss >= previous.loss):
            bracket = [previous, new]
            break
        if flat_enough(new):
            bracket, done = [new], True
            break
        if new.slope >= 0:
            bracket = [previous, new]
            break
        bounds = (new.t + 0.01 * (new.t - previous.t), new.t * 10)
        previous, new = new, evaluate(cubic_minimum(previous, new, bounds))
        evaluations += 1
        rounds += 1
    else:
        bracket = [start, new]

    # then narrow the interval down
    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    while not done and rounds < max_ls:
        left, right = min(p.t for p in bracket), max(p.t for p in bracket)
        if (right - left) * d_norm < tolerance_change:
            break
        t = cubic_minimum(bracket[0], bracket[1])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # little progress: allowed once, then move away from the edge
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        new = evaluate(t)
        evaluations += 1
        rounds += 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            done = flat_enough(new)
            if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    return bracket[low], evaluations


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """The minimum of the cubic through two points with these losses and slopes, within bounds (default: a, b)."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2.0
    d2 = math.sqrt(square)
    if a.t <= b.t:
        t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, low), high)


def _largest(a: Array) -> float:
    return float(np.abs(a).max())
