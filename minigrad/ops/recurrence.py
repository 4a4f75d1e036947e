"""Recurrent layers: a state that is carried from step to step through a sequence.

A layer's whole way through a sequence, in one direction, is one operation, `_read`, for every `Kind` of layer.
https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers

On arrays, what a step reads stands in one column for each sequence of the batch: the state, the input, and a 1 for
the biases. So one product gives all gates of a step, and time runs along the first dimension of each buffer:

    columns (T + 1, K, N)    K = H + inputs + 1; the next step's state goes straight into the next column
    gates (T, B, H, N)       B blocks, the sigmoids' first

With N last, each gate is one contiguous block. Going back, the gradient of a step's gates is the gradient of its state
times factors that are known beforehand, so these are computed for all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import engine
from minigrad.engine import Array
from minigrad.grad_mode import grad_mode
from minigrad.ops.dropout import dropout
from minigrad.ops.elementwise import relu, sigmoid, tanh
from minigrad.ops.indexing import index
from minigrad.ops.joining import cat, stack
from minigrad.ops.linalg import linear
from minigrad.ops.record import composed, operation
from minigrad.ops.shape import unsqueeze
from minigrad.tensor import Tensor

State = tuple[Any, ...]
Step = Callable[[Any, State, Any, Any], State]

# ---- one step, on tensors: the input's share of the gates, the state, its weight and bias → the next state ----


def rnn_step(function: Callable[[Any], Any]) -> Step:
    """``h' = f(x W + h U)``."""

    def step(gates: Any, state: State, weight: Any, bias: Any) -> State:
        return (function(gates + linear(state[0], weight, bias)),)

    return step


def lstm_step(gates: Any, state: State, weight: Any, bias: Any) -> State:
    """Input, forget and output gates i, f, o and news g: ``c' = f c + i g``, ``h' = o tanh(c')``."""
    h, c = state
    gates = gates + linear(h, weight, bias)
    n = c.shape[-1]
    i_and_f = sigmoid(index(gates, (..., slice(0, 2 * n))))
    g = tanh(index(gates, (..., slice(2 * n, 3 * n))))
    o = sigmoid(index(gates, (..., slice(3 * n, 4 * n))))
    c = index(i_and_f, (..., slice(n, 2 * n))) * c + index(i_and_f, (..., slice(0, n))) * g
    return o * tanh(c), c


def gru_step(gates: Any, state: State, weight: Any, bias: Any) -> State:
    """Reset and update gates r, z and news n: ``h' = n + z (h - n)``; r scales the state's share of the news."""
    (h,) = state
    own = linear(h, weight, bias)
    n = h.shape[-1]
    both = (..., slice(0, 2 * n))
    r_and_z = sigmoid(index(gates, both) + index(own, both))
    r, z = index(r_and_z, (..., slice(0, n))), index(r_and_z, (..., slice(n, 2 * n)))
    news = (..., slice(2 * n, 3 * n))
    new = tanh(index(gates, news) + r * index(own, news))
    return (new + z * (h - new),)


# ---- the same on arrays, for a whole sequence --------------------------------------------------------------


def _logistic(gates: Array) -> None:
    """The sigmoid of what is given halved, in place: ``σ(x) = (1 + tanh(x / 2)) / 2``; the tanh is done."""
    gates *= 0.5
    gates += 0.5


def _rnn_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.tanh(gates[0], out=gates[0])
    after[...] = gates[0]


def _rnn_relu_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.maximum(gates[0], np.zeros_like(after), out=after)
    gates[0] = after


def _lstm_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.tanh(gates, out=gates)
    _logistic(gates[:3])
    o, i, f, news = gates
    old, new, bent = cells
    np.multiply(f, old, out=new)
    np.multiply(i, news, out=bent)
    new += bent
    np.tanh(new, out=bent)
    np.multiply(o, bent, out=after)


def _gru_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.tanh(gates[:2], out=gates[:2])
    _logistic(gates[:2])
    r, z, own, news = gates
    np.multiply(r, own, out=after)
    news += after
    np.tanh(news, out=news)
    np.subtract(before, news, out=after)
    after *= z
    after += news


def _rnn_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    np.multiply(gates, gates, out=out)
    np.subtract(1, out, out=out)
    return None, None


def _rnn_relu_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    np.greater(gates, 0, out=out, casting="unsafe")
    return None, None


def _lstm_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    """For o by h's gradient, for the others by c's; then how h's gradient reaches c, and c's the c before.

    A sigmoid's slope is ``s (1 - s)``, and ``x s (1 - s) = x s - (x s) s``, where x s is often known already.
    """
    (o, i, f, news), (c, bent), h = gates.swapaxes(0, 1), cells, states[1:]
    by_o, by_i, by_f, by_news = out.swapaxes(0, 1)
    np.multiply(h, o, out=by_o)
    np.subtract(h, by_o, out=by_o)
    product = np.multiply(i, news, out=np.empty(i.shape, i.dtype))
    np.multiply(product, i, out=by_i)
    np.subtract(product, by_i, out=by_i)
    np.multiply(product, news, out=by_news)
    np.subtract(i, by_news, out=by_news)
    np.multiply(c[:-1], f, out=product)
    np.multiply(product, f, out=by_f)
    np.subtract(product, by_f, out=by_f)
    np.multiply(h, bent, out=product)
    return np.subtract(o, product, out=product), f


def _gru_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    """All by h's gradient; then how it reaches the h before, past the gates."""
    r, z, own, news = gates.swapaxes(0, 1)
    by_r, by_z, by_own, by_news = out.swapaxes(0, 1)
    np.multiply(news, news, out=by_news)
    np.subtract(1, by_news, out=by_news)
    closed = np.subtract(1, z, out=np.empty(z.shape, z.dtype))
    by_news *= closed
    np.multiply(by_news, r, out=by_own)
    np.subtract(1, r, out=by_r)
    by_r *= by_own
    by_r *= own
    np.subtract(states[:-1], news, out=by_z)
    by_z *= z
    by_z *= closed
    return None, z


@dataclass(frozen=True)
class Kind:
    """A kind of layer: its step on tensors, and how its array code is laid out.

    `state_rows` and `input_rows` say in which block torch's gates stand, in torch's order, for the weights of the
    state and of the input. For a GRU the two shares of the news have a block each.
    """

    name: str
    parts: int  #: of the state: h, or h and c
    step: Step
    sigmoids: int
    state_rows: tuple[int, ...]
    input_rows: tuple[int, ...]
    forward: Callable[[Array, Array, Array, Any], None]
    factors: Callable[[Array, Array, Any, Array], tuple[Any, Any]]

    @property
    def gates(self) -> int:
        """How many gates torch's weights hold."""
        return len(self.state_rows)

    def packed(self, weights: Sequence[Any]) -> Array:
        """Torch's weights and biases as one matrix of (B, H, K)."""
        weight_ih, weight_hh, *biases = (w for w in weights if w is not None)
        h, n = weight_hh.shape[1], weight_ih.shape[1]
        blocks = 1 + max(self.input_rows)
        matrix = np.zeros((blocks, h, h + n + bool(biases)), weight_hh.dtype)
        rows, columns = list(self.state_rows), list(self.input_rows)
        matrix[rows, :, :h] = weight_hh.reshape(-1, h, h)
        matrix[columns, :, h : h + n] = weight_ih.reshape(-1, h, n)
        if biases:
            matrix[columns, :, -1] += biases[0].reshape(-1, h)
            matrix[rows, :, -1] += biases[1].reshape(-1, h)
        return matrix

    def unpacked(self, matrix: Array, inputs: int) -> tuple[Array, ...]:
        """The other way, for gradients: of weight_ih, weight_hh, bias_ih, bias_hh."""
        h = matrix.shape[1]
        by_state, by_input = matrix[list(self.state_rows)], matrix[list(self.input_rows)]
        return (
            by_input[:, :, h : h + inputs].reshape(-1, inputs),
            by_state[:, :, :h].reshape(-1, h),
            by_input[:, :, -1].reshape(-1),
            by_state[:, :, -1].reshape(-1),
        )


KINDS = {
    kind.name: kind
    for kind in (
        Kind("RNN_TANH", 1, rnn_step(tanh), 0, (0,), (0,), _rnn_forward, _rnn_factors),
        Kind("RNN_RELU", 1, rnn_step(relu), 0, (0,), (0,), _rnn_relu_forward, _rnn_relu_factors),
        Kind("LSTM", 2, lstm_step, 3, (1, 2, 3, 0), (1, 2, 3, 0), _lstm_forward, _lstm_factors),
        Kind("GRU", 1, gru_step, 2, (0, 1, 2), (0, 1, 3), _gru_forward, _gru_factors),
    )
}


class _Reading:
    """One reading of a sequence: forwards at once, and back as often as it is asked."""

    def __init__(self, kind: Kind, x: Array, h: Array, c: Any, weights: Sequence[Any]) -> None:
        (steps, n, inputs), size = x.shape, h.shape[1]
        self.kind, self.inputs = kind, inputs
        self.matrix = kind.packed(weights)
        blocks, _, width = self.matrix.shape
        halved: Any = self.matrix.copy()
        halved[: kind.sigmoids] *= 0.5
        halved = halved.reshape(-1, width)
        self.columns: Any = np.empty((steps + 1, width, n), x.dtype)
        self.columns[0, :size] = h.T
        self.columns[:steps, size : size + inputs] = x.swapaxes(1, 2)
        self.columns[:steps, size + inputs :] = 1
        self.states = self.columns[:, :size]
        kept = steps if grad_mode.enabled else 1  # what only the way back needs
        self.gates = np.empty((kept, blocks, size, n), x.dtype)
        self.cells: Any = None
        if c is not None:
            self.cells = np.empty((steps + 1, size, n), x.dtype), np.empty((kept, size, n), x.dtype)
            self.cells[0][0] = c.T
        for t in range(steps):
            gates = self.gates[t % kept]
            np.matmul(halved, self.columns[t], out=gates.reshape(-1, n))
            cells = self.cells and (self.cells[0][t], self.cells[0][t + 1], self.cells[1][t % kept])
            kind.forward(gates, self.states[t], self.states[t + 1], cells)
        self.known: tuple[Any, Any] = None, None  # a gradient, and what came of it

    def result(self, reverse: bool) -> Array:
        """The states after each step, (T, N, H), in the sequence's own order; an LSTM's last c behind them."""
        steps, size, n = self.states[1:].shape
        out = np.empty((steps + (self.cells is not None), n, size), self.states.dtype)
        states = self.states[1:].swapaxes(1, 2)
        out[:steps] = states[::-1] if reverse else states
        if self.cells is not None:
            out[steps] = self.cells[0][-1].T
        return out

    def gradients(self, g: Array, reverse: bool) -> tuple[Any, ...]:
        """Of all gates, h, c, weight_ih, weight_hh, bias_ih and bias_hh."""
        steps, _, size, n = self.gates.shape
        factors = np.empty(self.gates.shape, g.dtype)
        through, past = self.kind.factors(self.gates, self.states, self.cells, factors)
        by_gates = factors.reshape(steps, -1, n)
        matrix: Any = self.matrix.reshape(-1, self.matrix.shape[2])
        back = np.ascontiguousarray(matrix[:, :size].T)
        total, product = (np.zeros(matrix.shape, g.dtype) for _ in range(2))
        rows = np.empty((steps, n, matrix.shape[1]), g.dtype)
        rows[...] = self.columns[:steps].swapaxes(1, 2)
        h, scratch = (np.zeros((size, n), g.dtype) for _ in range(2))
        c = None if self.cells is None else g[steps].T.copy("C")
        after = g[:steps][::-1] if reverse else g[:steps]
        given: Any = after.any((1, 2))  # often only the last step's output is used
        for t in range(steps)[::-1]:
            if given[t]:
                h += after[t].T
            if c is None:
                factors[t] *= h
                kept = past if past is None else np.multiply(h, past[t], out=scratch)
            else:
                c += np.multiply(h, through[t], out=scratch)
                factors[t, 0] *= h
                factors[t, 1:] *= c
                c *= past[t]
                kept = None
            np.matmul(back, by_gates[t], out=h)
            if kept is not None:
                h += kept
            total += np.matmul(by_gates[t], rows[t], out=product)
        weights = self.kind.unpacked(total.reshape(self.matrix.shape), self.inputs)
        return by_gates, h.T, None if c is None else c.T, *weights

    def input_gradient(self, by_gates: Array, reverse: bool) -> Array:
        """The input's, from that of the gates: apart, since a first layer has no use for it."""
        blocks, size, _ = self.matrix.shape
        matrix: Any = self.matrix.reshape(blocks * size, -1)[:, size : size + self.inputs]
        x: Array = np.matmul(matrix.T, by_gates).swapaxes(1, 2)
        return x[::-1] if reverse else x


# ---- the operation -----------------------------------------------------------------------------------------


def _rule(place: int) -> Callable[..., Any]:
    """The gradient of one input; all come of one way back, which is remembered for the others' rules."""

    def rule(
        g: Any,
        input: Any,
        h: Any,
        c: Any,
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any,
        bias_hh: Any,
        kind: str,
        reverse: bool,
        saved: Any,
    ) -> Any:
        if saved.known[0] is not g:
            if isinstance(g, np.ndarray):
                found = saved.gradients(g, reverse)
            else:
                found = _recorded((input, h, c, weight_ih, weight_hh, bias_ih, bias_hh), g, kind, reverse)
            saved.known = g, found
        found = saved.known[1][place]
        return saved.input_gradient(found, reverse) if place == 0 and isinstance(g, np.ndarray) else found

    return rule


def _recorded(inputs: Sequence[Any], g: Any, kind: str, reverse: bool) -> list[Any]:
    """The same gradients as a recorded program, to be differentiated again: those of the layer made of steps."""
    twins = [t.clone() if isinstance(t, Tensor) and t.tracked else t for t in inputs]  # one may be given twice
    tracked = [t for t in twins if isinstance(t, Tensor) and t.tracked]
    arrived = engine.backward([(_by_steps(twins, kind, reverse), g)], Tensor.wrap, tracked, True, True)
    return [arrived.get(t.node) if isinstance(t, Tensor) and t.node else None for t in twins]


def _by_steps(inputs: Sequence[Any], kind: str, reverse: bool) -> Any:
    """What `_read` gives, step by step."""
    input, h, c, weight_ih, weight_hh, bias_ih, bias_hh = inputs
    state: State = (h,) if c is None else (h, c)
    shares = _unbound(linear(input, weight_ih, bias_ih))
    outs = []
    for gates in reversed(shares) if reverse else shares:
        state = KINDS[kind].step(gates, state, weight_hh, bias_hh)
        outs.append(state[0])
    return stack([*(outs[::-1] if reverse else outs), *state[1:]])


def _read_projected(
    input: Any, h: Any, c: Any, weights: Sequence[Any], projection: Any, reverse: bool
) -> tuple[Any, Any]:
    """An LSTM whose h is projected after each step, (N, H) → (N, P): the h at all steps (T, N, P), and the last c."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    shares = _unbound(linear(input, weight_ih, bias_ih))
    outs = []
    for gates in reversed(shares) if reverse else shares:
        full, c = lstm_step(gates, (h, c), weight_hh, bias_hh)
        h = linear(full, projection)
        outs.append(h)
    return stack(outs[::-1] if reverse else outs), c


def _unbound(x: Any) -> list[Any]:
    """The steps of (T, …), by halving.

    The gradient of a slice is as large as what it was taken from. Taken one by one, T steps would cost T²; this way
    they cost T log T.
    """
    n = len(x)
    if n == 1:
        return [index(x, 0)]
    return [*_unbound(index(x, slice(0, n // 2))), *_unbound(index(x, slice(n // 2, n)))]


def _weights_sample(d: Any, kind: str, inputs: int, size: int, low: float = -1) -> list[Any]:
    rows = KINDS[kind].gates * size
    shapes = [(rows, inputs), (rows, size), (rows,), (rows,)]
    return [d.array(shape, low=low, high=1, ties=False) for shape in shapes]  # sums that round to 0 would be at a kink


def _read_sample(d: Any) -> tuple[Any, ...]:
    kind = d.choice(["RNN_TANH", "LSTM", "GRU"])
    steps, n, inputs, size = d.integer(1, 3), d.integer(1, 2), d.integer(1, 2), d.integer(1, 2)
    h, c = (d.array((n, size), low=-1, high=1) for _ in range(2))
    weights = _weights_sample(d, kind, inputs, size)
    biases = weights[2:] if d.boolean() else [None, None]
    state = (h, c if KINDS[kind].parts == 2 else None)
    return d.array((steps, n, inputs)), *state, *weights[:2], *biases, kind, d.boolean()


@operation(
    dict(zip(("input", "h", "c", "weight_ih", "weight_hh", "bias_ih", "bias_hh"), map(_rule, range(7)), strict=True)),
    methods=[],
    torch="",
    saves=True,
    grad_fn="RnnBackward0",
    sample=_read_sample,
)
def _read(
    input: Any,
    h: Any,
    c: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    kind: str,
    reverse: bool,
) -> Any:
    """A recurrent layer in one direction: input (T, N, inputs), states (N, H) → the states at all steps, (T, N, H).

    An LSTM's last c follows as one step more. `reverse` reads from the end; the results stay in their places.
    """
    x, weights = input[::-1] if reverse else input, (weight_ih, weight_hh, bias_ih, bias_hh)
    reading = _Reading(KINDS[kind], x, h, c, weights)
    return reading.result(reverse), reading


# ---- layers, with torch's arguments --------------------------------------------------------------------------


def _layers(
    kind: str,
    input: Any,
    start: State,
    params: Sequence[Any],
    has_biases: bool,
    num_layers: int,
    p: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> State:
    """All layers: the outputs of the last, then every part of all last states (layers·directions, N, H)."""
    x = input.transpose(0, 1) if batch_first else input
    steps, directions = len(x), 1 + bidirectional
    projects = len(start) == 2 and start[0].shape[-1] != start[1].shape[-1]
    each = (4 if has_biases else 2) + projects
    ends: list[State] = []
    for layer in range(num_layers):
        if layer and p:
            x = dropout(x, p, train)
        outs = []
        for direction in range(directions):
            k = len(ends)
            own = params[k * each : (k + 1) * each]
            w_ih, w_hh, b_ih, b_hh = (*own[: each - projects], None, None)[:4]
            h, c = (*(index(part, k) for part in start), None)[:2]
            if projects:
                out, c = _read_projected(x, h, c, (w_ih, w_hh, b_ih, b_hh), own[-1], direction == 1)
                ends.append((index(out, 0 if direction else steps - 1), c))
                outs.append(out)
                continue
            read = _read(x, h, c, w_ih, w_hh, b_ih, b_hh, kind, direction == 1)
            out = index(read, slice(0, steps)) if c is not None else read
            ends.append((index(read, 0 if direction else steps - 1), *(() if c is None else (index(read, steps),))))
            outs.append(out)
        x = outs[0] if directions == 1 else cat(outs, -1)
    last = tuple(unsqueeze(part[0], 0) if len(part) == 1 else stack(part) for part in zip(*ends, strict=True))
    return (x.transpose(0, 1) if batch_first else x, *last)


def _layers_sample(kind: str) -> Callable[[Any], tuple[Any, ...]]:
    def sample(d: Any) -> tuple[Any, ...]:
        layers, directions, batch_first = d.integer(1, 2), d.integer(1, 2), d.boolean()
        steps, n, inputs, size = d.integer(1, 3), d.integer(1, 3), d.integer(1, 3), d.integer(1, 2)
        away = kind == "RNN_RELU" and d.smooth  # from the kink: everything is positive
        low = 0.1 if away else -1
        x = d.array((n, steps, inputs) if batch_first else (steps, n, inputs), low=low if away else -3)
        parts = tuple(d.array((layers * directions, n, size), low=low, high=1) for _ in range(KINDS[kind].parts))
        biased = d.boolean()
        params = [
            weight
            for layer in range(layers)
            for _ in range(directions)
            for weight in _weights_sample(d, kind, size * directions if layer else inputs, size, low)[
                : 4 if biased else 2
            ]
        ]
        start = parts if len(parts) > 1 else parts[0]
        return x, start, params, biased, layers, 0.0, d.boolean(), directions == 2, batch_first

    return sample


def _layers_of(kind: str) -> Callable[..., State]:
    def layers(
        input: Any,
        hx: Any,
        params: Sequence[Any],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> State:
        start = tuple(hx) if KINDS[kind].parts == 2 else (hx,)
        return _layers(kind, input, start, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)

    layers.__name__ = layers.__qualname__ = kind.lower()
    layers.__doc__ = f"All layers of an `nn.{kind.partition('_')[0]}`: its outputs, and the last states."
    # where a sum is 0 but for rounding, relu's gradient is not compared: `tests/nn/test_rnn.py` keeps away from there
    return composed(methods=[], sample=_layers_sample(kind), torch="" if kind == "RNN_RELU" else None)(layers)


rnn_tanh, rnn_relu, lstm, gru = (_layers_of(kind) for kind in ("RNN_TANH", "RNN_RELU", "LSTM", "GRU"))
layers = {"RNN_TANH": rnn_tanh, "RNN_RELU": rnn_relu, "LSTM": lstm, "GRU": gru}
