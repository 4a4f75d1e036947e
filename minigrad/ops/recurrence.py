"""Recurrent layers: a state that is carried from step to step through a sequence.

A layer's pass over a whole sequence, in one direction, is one operation, `_read`, for RNN, LSTM and GRU.
https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers

The computations on arrays are in `minigrad.kernels.recurrence`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad import engine
from minigrad.grad_mode import grad_mode
from minigrad.kernels.recurrence import CELLS, Reading
from minigrad.ops.activation import relu
from minigrad.ops.dropout import dropout as drop
from minigrad.ops.elementwise import sigmoid, tanh
from minigrad.ops.indexing import index
from minigrad.ops.joining import cat, stack
from minigrad.ops.linalg import linear
from minigrad.ops.record import Operand, composed, operation, renamed
from minigrad.ops.shape import unsqueeze
from minigrad.ops.splitting import chunk
from minigrad.tensor import Tensor

State = tuple[Any, ...]
Step = Callable[[Any, State, Any, Any], State]

# ---- one step, on tensors: the input's part of the gates, the state, its weight and bias → the next state -----


def rnn_step(function: Callable[[Any], Any]) -> Step:
    """``h' = f(x W + h U)``."""

    def step(gates: Any, state: State, weight: Any, bias: Any) -> State:
        return (function(gates + linear(state[0], weight, bias)),)

    return step


def lstm_step(gates: Any, state: State, weight: Operand, bias: Any) -> State:
    """Input, forget and output gates i, f, o and cell gate g: ``c' = f c + i g``, ``h' = o tanh(c')``."""
    h, c = state
    i, f, g, o = chunk(gates + linear(h, weight, bias), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(gates: Any, state: State, weight: Operand, bias: Any) -> State:
    """Reset, update and new gates r, z, n: ``h' = n + z (h - n)``; r scales the state's part of n."""
    (h,) = state
    (r, z, n), (r_h, z_h, n_h) = chunk(gates, 3, -1), chunk(linear(h, weight, bias), 3, -1)
    r, z = sigmoid(r + r_h), sigmoid(z + z_h)
    n = tanh(n + r * n_h)
    return (n + z * (h - n),)


STEPS: dict[str, Step] = {"RNN_TANH": rnn_step(tanh), "RNN_RELU": rnn_step(relu), "LSTM": lstm_step, "GRU": gru_step}

# ---- a whole sequence ----------------------------------------------------------------------------------------


def _by_steps(inputs: Sequence[Any], mode: str, reverse: Any, projection: Any = None) -> tuple[Any, Any]:
    """`_read` composed of single steps. An LSTM's h may be projected after each step, (N, H) → (N, P)."""
    input, h, c, weight_ih, weight_hh, bias_ih, bias_hh = inputs
    state: State = (h,) if c is None else (h, c)
    shares, outs = _unbound(linear(input, weight_ih, bias_ih)), []
    for gates in reversed(shares) if reverse else shares:
        state = STEPS[mode](gates, state, weight_hh, bias_hh)
        if projection is not None:
            state = (linear(state[0], projection), *state[1:])
        outs.append(state[0])
    return stack(outs[::-1] if reverse else outs), state[-1]


def _unbound(x: Any) -> list[Any]:
    """The steps of (T, …), by halving.

    The gradient of a slice is as large as the tensor that it was taken from. Taken one by one, T steps would cost T²;
    by halving, they cost T log T.
    """
    n = len(x)
    if n == 1:
        return [index(x, 0)]
    return [*_unbound(index(x, slice(0, n // 2))), *_unbound(index(x, slice(n // 2, n)))]


def _weights_sample(d: Any, mode: str, inputs: int, size: int, low: float = -1) -> list[Any]:
    rows = CELLS[mode].gates * size
    shapes = [(rows, inputs), (rows, size), (rows,), (rows,)]
    return [d.array(shape, low=low, high=1, ties=False) for shape in shapes]  # sums rounded to 0 are at a kink


def _read_sample(d: Any) -> tuple[Any, ...]:
    mode = d.choice(["RNN_TANH", "LSTM", "GRU"])
    steps, n, inputs, size = d.integer(1, 3), d.integer(1, 2), d.integer(1, 2), d.integer(1, 2)
    h, c = (d.array((n, size), low=-1, high=1) for _ in range(2))
    weights = _weights_sample(d, mode, inputs, size)
    biases = weights[2:] if d.boolean() else [None, None]
    state = (h, c if CELLS[mode].parts == 2 else None)
    return d.array((steps, n, inputs)), *state, *weights[:2], *biases, mode, d.boolean()


def _read_gradients(
    wanted: Sequence[bool],
    g: tuple[Any, Any],
    x: Any,
    h: Any,
    c: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    mode: str,
    reverse: bool,
    saved: Reading,
) -> Sequence[Any]:
    """The kernel's gradients; or, to be differentiable again, those of `_by_steps`."""
    if not any(isinstance(part, Tensor) for part in g):
        return saved.gradients(wanted[0], *g)
    inputs = (x, h, c, w_ih, w_hh, b_ih, b_hh)
    twins = [t.clone() if isinstance(t, Tensor) and t.tracked else t for t in inputs]  # one may be given twice
    tracked = [t for t in twins if isinstance(t, Tensor) and t.tracked]
    results = _by_steps(twins, mode, reverse)
    roots = [(result, part) for result, part in zip(results, g, strict=True) if part is not None]
    arrived = engine.backward(roots, Tensor.wrap, tracked, True, True)
    return [arrived.get(t.place) if isinstance(t, Tensor) else None for t in twins]


@operation(
    _read_gradients,
    inputs=("x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh"),
    saves=True,
    outputs=2,
    grad_fn="RnnBackward0",
    sample=_read_sample,
)
def _read(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, mode: str, reverse: bool) -> Any:
    """A recurrent layer in one direction: x (T, N, inputs), states (N, H) → the h at all steps, (T, N, H).

    The second result is the last state: c of an LSTM, h of others. `reverse` reads from the end; the results keep
    their places.
    """
    reading = Reading(CELLS[mode], x, h, c, (w_ih, w_hh, b_ih, b_hh), reverse, keep=grad_mode.enabled)
    return (reading.outputs(), reading.last()), reading


# ---- layers, with torch's arguments --------------------------------------------------------------------------


def _layers_sample(mode: str) -> Callable[[Any], tuple[Any, ...]]:
    def sample(d: Any) -> tuple[Any, ...]:
        layers, directions, batch_first = d.integer(1, 2), d.integer(1, 2), d.boolean()
        steps, n, inputs, size = d.integer(1, 3), d.integer(1, 3), d.integer(1, 3), d.integer(1, 2)
        away = mode == "RNN_RELU" and d.smooth  # away from the kink: everything is positive
        low = 0.1 if away else -1
        x = d.array((n, steps, inputs) if batch_first else (steps, n, inputs), low=low if away else -3)
        start = tuple(d.array((layers * directions, n, size), low=low, high=1) for _ in range(CELLS[mode].parts))
        biased, params = d.boolean(), []
        for k in range(layers * directions):
            weights = _weights_sample(d, mode, inputs if k < directions else size * directions, size, low)
            params += weights[: 4 if biased else 2]
        hx = start if len(start) > 1 else start[0]
        return x, hx, params, biased, layers, 0.0, d.boolean(), directions == 2, batch_first

    return sample


def _layers_of(mode: str) -> Callable[..., State]:
    def layers(
        input: Operand,
        hx: Any,
        params: Sequence[Any],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool,
    ) -> State:
        x, start = input.transpose(0, 1) if batch_first else input, tuple(hx) if CELLS[mode].parts == 2 else (hx,)
        steps, directions = len(x), 1 + bidirectional
        projects = len(start) == 2 and start[0].shape[-1] != start[1].shape[-1]
        each = (4 if has_biases else 2) + projects
        ends: list[State] = []
        for layer in range(num_layers):
            if layer and dropout:
                x = drop(x, dropout, train)
            outs = []
            for reverse in range(directions):
                k = len(ends)
                own = params[k * each : (k + 1) * each]
                h, c = (*(index(part, k) for part in start), None)[:2]
                w_ih, w_hh, b_ih, b_hh = (*own[: each - projects], None, None)[:4]
                given = (x, h, c, w_ih, w_hh, b_ih, b_hh)
                if projects or not x.shape[1]:  # the kernel does not support empty batches
                    out, last = _by_steps(given, mode, reverse, own[-1] if projects else None)
                else:
                    out, last = _read(*given, mode, bool(reverse))
                ends.append((last,) if c is None else (index(out, 0 if reverse else steps - 1), last))
                outs.append(out)
            x = outs[0] if directions == 1 else cat(outs, -1)
        ended = (unsqueeze(part[0].clone(), 0) if len(part) == 1 else stack(part) for part in zip(*ends, strict=True))
        return (x.transpose(0, 1) if batch_first else x, *ended)

    what = f"All layers of an `nn.{mode.partition('_')[0]}`: the outputs of the last, and each part of all last states."
    # relu's gradient is not compared here, as sums may be 0 up to rounding; `tests/nn/test_rnn.py` avoids such sums
    return composed(methods=[], sample=_layers_sample(mode), torch="" if mode == "RNN_RELU" else None)(
        renamed(layers, mode.lower(), what)
    )


rnn_tanh, rnn_relu, lstm, gru = (_layers_of(mode) for mode in ("RNN_TANH", "RNN_RELU", "LSTM", "GRU"))
layers = {"RNN_TANH": rnn_tanh, "RNN_RELU": rnn_relu, "LSTM": lstm, "GRU": gru}
