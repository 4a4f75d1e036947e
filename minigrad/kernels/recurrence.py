"""Recurrent layers on arrays: a whole sequence, in one direction, forward and backward.

What a step reads is one column for each sequence of the batch: the state, the input, and a 1 for the biases. So one
matrix product gives all gates of a step. Time is the first dimension of each buffer:

    columns (T + 1, K, N)    K = H + inputs + 1; a step writes its state into the next step's columns
    gates (T, B, H, N)       B blocks, the sigmoids' first

With N last, each gate is one contiguous block. In backward, the gradient of a step's gates is the gradient of its state
times factors that do not depend on it, so these are computed for all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.engine import Array
from minigrad.kernels.blas import one_thread

# ---- One step forward: from the gates (activations are done in place) and the state before to the state after. The
# ---- arguments of sigmoids are already halved, since σ(x) = (1 + tanh(x / 2)) / 2.


def _rnn_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.tanh(gates[0], out=gates[0])
    after[...] = gates[0]


def _rnn_relu_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.maximum(gates[0], 0, out=gates[0])
    after[...] = gates[0]


def _lstm_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    np.tanh(gates, out=gates)
    gates[:3] *= 0.5
    gates[:3] += 0.5
    (o, i, f, g), (c, c_next, tanh_c) = gates, cells
    np.add(f * c, i * g, out=c_next)
    np.tanh(c_next, out=tanh_c)
    np.multiply(o, tanh_c, out=after)


def _gru_forward(gates: Array, before: Array, after: Array, cells: Any) -> None:
    r_and_z, n_h, n = gates[:2], gates[2], gates[3]
    np.tanh(r_and_z, out=r_and_z)
    r_and_z *= 0.5
    r_and_z += 0.5
    r, z = r_and_z
    np.tanh(n + r * n_h, out=n)
    np.add((before - n) * z, n, out=after)


# ---- All steps backward: `out` is filled with the factors between the gradients of the state (in an LSTM: of h for o,
# ---- of c for the others) and of the gates; the factors from h to c, and from a state to the one before, are returned.


def _rnn_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    np.subtract(1, gates * gates, out=out)
    return None, None


def _rnn_relu_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    np.greater(gates, 0, out=out, casting="unsafe")
    return None, None


def _lstm_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    (o, i, f, g), (c, tanh_c), h = gates.swapaxes(0, 1), cells, states[1:]
    np.multiply(h, 1 - o, out=out[:, 0])
    np.multiply(i * g, 1 - i, out=out[:, 1])
    np.multiply(c[:-1] * f, 1 - f, out=out[:, 2])
    np.multiply(i, 1 - g * g, out=out[:, 3])
    return o - h * tanh_c, f  # since h = o tanh(c)


def _gru_factors(gates: Array, states: Array, cells: Any, out: Array) -> tuple[Any, Any]:
    (r, z, n_h, n), (by_r, by_z, by_n_h, by_n) = gates.swapaxes(0, 1), out.swapaxes(0, 1)
    np.multiply(1 - n * n, 1 - z, out=by_n)
    np.multiply(by_n, r, out=by_n_h)
    np.multiply(by_n_h * n_h, 1 - r, out=by_r)
    np.multiply((states[:-1] - n) * z, 1 - z, out=by_z)
    return None, z


@dataclass(frozen=True)
class Cell:
    """A recurrent cell, and how its gates are laid out.

    `state_rows` and `input_rows` say which block holds each of torch's gates, in torch's order, for the weights of the
    state and of the input. A GRU's new gate has two blocks, one for the state's part and one for the input's.
    """

    name: str
    parts: int  #: how many the state has: h, or h and c
    sigmoids: int
    state_rows: tuple[int, ...]
    input_rows: tuple[int, ...]
    forward: Callable[[Array, Array, Array, Any], None]
    factors: Callable[[Array, Array, Any, Array], tuple[Any, Any]]

    @property
    def gates(self) -> int:
        """The number of gates in torch's weights."""
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
        """The inverse, for gradients: those of weight_ih, weight_hh, bias_ih, bias_hh."""
        h = matrix.shape[1]
        by_state, by_input = matrix[list(self.state_rows)], matrix[list(self.input_rows)]
        return (
            by_input[:, :, h : h + inputs].reshape(-1, inputs),
            by_state[:, :, :h].reshape(-1, h),
            by_input[:, :, -1].reshape(-1),
            by_state[:, :, -1].reshape(-1),
        )


CELLS = {
    cell.name: cell
    for cell in (
        Cell("RNN_TANH", 1, 0, (0,), (0,), _rnn_forward, _rnn_factors),
        Cell("RNN_RELU", 1, 0, (0,), (0,), _rnn_relu_forward, _rnn_relu_factors),
        Cell("LSTM", 2, 3, (1, 2, 3, 0), (1, 2, 3, 0), _lstm_forward, _lstm_factors),
        Cell("GRU", 1, 2, (0, 1, 2), (0, 1, 3), _gru_forward, _gru_factors),
    )
}


class Reading:
    """One pass over a sequence in one direction: forward on construction, backward at each call of `gradients`.

    Args:
        cell: what a step does.
        x: the sequence (T, N, inputs).
        h: the first state (N, H).
        c: the first cell state (N, H) of an LSTM, else None.
        weights: weight_ih, weight_hh, bias_ih and bias_hh in torch's order; the biases may be None.
        reverse: whether to read from the end; results stay in their places.
        keep: whether `gradients` will be called.
    """

    @one_thread  # a step's products are too small for several
    def __init__(
        self, cell: Cell, x: Array, h: Array, c: Any, weights: Sequence[Any], reverse: bool, keep: bool
    ) -> None:
        (steps, n, inputs), size = x.shape, h.shape[1]
        self.cell, self.inputs, self.direction = cell, inputs, slice(None, None, -1 if reverse else 1)
        self.matrix = cell.packed(weights)
        blocks, _, width = self.matrix.shape
        halved: Any = self.matrix.copy()
        halved[: cell.sigmoids] *= 0.5
        halved = halved.reshape(-1, width)
        self.columns: Any = np.empty((steps + 1, width, n), x.dtype)
        self.columns[0, :size] = h.T
        self.columns[:steps, size : size + inputs] = x[self.direction].swapaxes(1, 2)
        self.columns[:steps, size + inputs :] = 1
        self.states = self.columns[:, :size]
        kept = steps if keep else 1
        self.gates = np.empty((kept, blocks, size, n), x.dtype)
        self.cells: Any = None
        if c is not None:
            self.cells = np.empty((steps + 1, size, n), x.dtype), np.empty((kept, size, n), x.dtype)
            self.cells[0][0] = c.T
        for t in range(steps):
            gates = self.gates[t % kept]
            np.matmul(halved, self.columns[t], out=gates.reshape(-1, n))
            cells = self.cells and (self.cells[0][t], self.cells[0][t + 1], self.cells[1][t % kept])
            cell.forward(gates, self.states[t], self.states[t + 1], cells)

    def outputs(self) -> Array:
        """The states after each step, (T, N, H)."""
        return np.ascontiguousarray(self.states[1:][self.direction].swapaxes(1, 2))

    def last(self) -> Array:
        """The last state, (N, H): c of an LSTM, h of others."""
        last: Any = self.states[-1] if self.cells is None else self.cells[0][-1]
        return last.T.copy("C")  # type: ignore[no-any-return]

    @one_thread
    def gradients(self, input_wanted: bool, g: Any, g_last: Any) -> tuple[Any, ...]:
        """The gradients of the input (if wanted), h, c, weight_ih, weight_hh, bias_ih and bias_hh.

        `g` is the gradient of the outputs, `g_last` that of the last state; None where there is none.
        """
        steps, _, size, n = self.gates.shape
        factors = np.empty_like(self.gates)
        through, past = self.cell.factors(self.gates, self.states, self.cells, factors)
        by_gates = factors.reshape(steps, -1, n)
        matrix: Any = self.matrix.reshape(-1, self.matrix.shape[2])
        back = np.ascontiguousarray(matrix[:, :size].T)
        total, product = np.zeros_like(matrix), np.empty_like(matrix)
        rows = np.ascontiguousarray(self.columns[:steps].swapaxes(1, 2))
        last = np.zeros((size, n), matrix.dtype) if g_last is None else g_last.T.copy("C")
        h, c = (last, None) if self.cells is None else (np.zeros_like(last), last)
        scratch = np.empty_like(last)
        after = None if g is None else g[self.direction].swapaxes(1, 2)
        for t in reversed(range(steps)):
            if after is not None:
                h += after[t]
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
        weights = self.cell.unpacked(total.reshape(self.matrix.shape), self.inputs)
        x = None
        if input_wanted:
            by_input = matrix[:, size : size + self.inputs].T
            x = np.matmul(by_input, by_gates).swapaxes(1, 2)[self.direction]
        return x, h.T, None if c is None else c.T, *weights
