"""Training steps of the recurrent networks, fused by hand.

What a step of time reads stands in one column for each sequence: the state, the input, and a 1 for the biases. So one
product gives all gates. N is last and time first, so that each gate of a step is one block. Blocks of gates, the
sigmoids' first:

    LSTM    o, i, f, news
    GRU     r, z, the state's share of the news, the input's share, which becomes the news

Going back, the gradient of the gates is that of the state times factors that are computed for all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from benchmarks.floor_parts import Linear, Parameters, Step, objective
from benchmarks.networks import Network

Part: TypeAlias = Callable[[], None]

SIZE, BLOCKS = 32, 4


class _Recurrent:
    """What both have in common: packed weights, buffers, the linear layer after the last step.

    `state_blocks` and `input_blocks` say in which block each of torch's gates stands, for the weights of the state
    and of the input.
    """

    def __init__(
        self, network: Network, sigmoids: int, state_blocks: tuple[int, ...], input_blocks: tuple[int, ...]
    ) -> None:
        inputs, targets = network.arrays()
        n, self.steps, width = inputs.shape
        self.inputs, self.sigmoids = inputs.transpose(1, 2, 0), sigmoids
        self.by_state, self.by_input = list(state_blocks), list(input_blocks)
        rows = len(state_blocks) * SIZE
        self.parameters = Parameters((rows, width), (rows, SIZE), (rows,), (rows,), (2, SIZE), (2,))
        weights, biases, head = self.parameters.pairs
        self.weights, self.grads = (
            [w.reshape(-1, SIZE, *w.shape[1:]) for w in (*weights[part], *biases[part])]
            for part in (slice(0, 2), slice(2, 4))
        )

        def room(*shape: int) -> Any:
            return np.zeros(shape, np.float32)

        read = SIZE + width + 1
        self.matrix, self.halved, self.total = (room(BLOCKS, SIZE, read) for _ in range(3))
        self.back = room(SIZE, BLOCKS * SIZE)
        self.columns = room(self.steps + 1, read, n)
        self.columns[:, -1] = 1
        self.states = self.columns[:, :SIZE]
        self.gates, self.factors = (room(self.steps, BLOCKS, SIZE, n) for _ in range(2))
        self.flat_gates, self.flat_factors = (a.reshape(self.steps, -1, n) for a in (self.gates, self.factors))
        self.shares = room(self.steps, BLOCKS * SIZE, read)
        self.by_h, self.scratch = room(SIZE, n), room(SIZE, n)
        self.product = room(self.steps, SIZE, n)
        self.scores, self.by_scores = room(n, 2), room(n, 2)
        self.head = Linear(head, self.states[-1].T, self.scores, self.by_scores, self.by_h.T)
        self.loss_of = objective(network, targets)

    def begin(self) -> None:
        """Inputs and weights into their places. A sigmoid is ``(1 + tanh(x / 2)) / 2``: so its weights are halved."""
        weight_ih, weight_hh, bias_ih, bias_hh = self.weights
        matrix, width = self.matrix, weight_ih.shape[2]
        matrix[self.by_state, :, :SIZE] = weight_hh
        matrix[self.by_input, :, SIZE : SIZE + width] = weight_ih
        matrix[:, :, -1] = 0
        matrix[self.by_input, :, -1] += bias_ih
        matrix[self.by_state, :, -1] += bias_hh
        np.copyto(self.halved, matrix)
        self.halved[: self.sigmoids] *= np.float32(0.5)
        self.back[...] = matrix[:, :, :SIZE].reshape(-1, SIZE).T
        self.columns[:-1, SIZE : SIZE + width] = self.inputs

    def read(self, t: int) -> Any:
        """The gates of a step, tanh and all; those of the sigmoids want it too."""
        np.matmul(self.halved.reshape(BLOCKS * SIZE, -1), self.columns[t], out=self.flat_gates[t])
        return self.gates[t]

    def bend(self, gates: Any) -> None:
        """The tanh, and what makes it the sigmoid."""
        np.tanh(gates, out=gates)
        some = gates[: self.sigmoids]
        np.multiply(some, np.float32(0.5), out=some)
        np.add(some, np.float32(0.5), out=some)

    def loss(self) -> Any:
        """The loss, with the gradient of the last state in `by_h`."""
        self.head.forward()
        loss = self.loss_of(self.scores, self.by_scores)
        self.head.backward()
        return loss

    def end(self) -> None:
        """From the gradient of all gates to that of the weights."""
        np.matmul(self.flat_factors, self.columns[:-1].swapaxes(1, 2), out=self.shares)
        np.add.reduce(self.shares, 0, out=self.total.reshape(self.shares.shape[1:]))
        weight_ih, weight_hh, bias_ih, bias_hh = self.grads
        by_state, by_input = self.total[self.by_state], self.total[self.by_input]
        weight_ih[...] = by_input[:, :, SIZE:-1]
        weight_hh[...] = by_state[:, :, :SIZE]
        bias_ih[...] = by_input[:, :, -1]
        bias_hh[...] = by_state[:, :, -1]

    def step(self, network: Network, forward: Part, fill_factors: Part, backward: Part) -> Step:
        """The whole step, of what each kind of layer does in its own way."""

        def fill() -> Any:
            self.begin()
            forward()
            loss = self.loss()
            fill_factors()
            backward()
            self.end()
            return loss

        return self.parameters.step(network, fill)


def lstm(network: Network) -> Step:
    """``c' = f c + i news``, ``h' = o tanh(c')``."""
    net = _Recurrent(network, 3, (1, 2, 3, 0), (1, 2, 3, 0))
    factors, states, h, scratch, product = net.factors, net.states, net.by_h, net.scratch, net.product
    cells, bent = np.zeros(states.shape, np.float32), np.zeros(product.shape, np.float32)
    by_c = np.empty_like(h)
    o, i, f, news = net.gates.swapaxes(0, 1)
    by_o, by_i, by_f, by_news = factors.swapaxes(0, 1)

    def forward() -> None:
        for t in range(net.steps):
            net.bend(net.read(t))
            new = cells[t + 1]
            np.multiply(f[t], cells[t], out=new)
            np.multiply(i[t], news[t], out=scratch)
            np.add(new, scratch, out=new)
            np.tanh(new, out=bent[t])
            np.multiply(o[t], bent[t], out=states[t + 1])

    def fill_factors() -> None:
        """The slope of a sigmoid s is ``s (1 - s)``, and ``x s`` is often known already."""
        after = states[1:]
        np.multiply(after, o, out=by_o)
        np.subtract(after, by_o, out=by_o)
        np.multiply(i, news, out=product)
        np.multiply(product, i, out=by_i)
        np.subtract(product, by_i, out=by_i)
        np.multiply(product, news, out=by_news)
        np.subtract(i, by_news, out=by_news)
        np.multiply(cells[:-1], f, out=product)
        np.multiply(product, f, out=by_f)
        np.subtract(product, by_f, out=by_f)
        np.multiply(after, bent, out=product)
        np.subtract(o, product, out=product)  # from h to c

    def backward() -> None:
        by_c.fill(0)
        for t in range(net.steps - 1, -1, -1):
            np.multiply(h, product[t], out=scratch)
            np.add(by_c, scratch, out=by_c)
            factor = factors[t]
            np.multiply(factor[0], h, out=factor[0])
            np.multiply(factor[1:], by_c, out=factor[1:])
            np.multiply(by_c, f[t], out=by_c)
            if t:
                np.matmul(net.back, net.flat_factors[t], out=h)

    return net.step(network, forward, fill_factors, backward)


def gru(network: Network) -> Step:
    """``h' = news + z (h - news)``; r scales the state's share of the news."""
    net = _Recurrent(network, 2, (0, 1, 2), (0, 1, 3))
    factors, states, h, scratch, closed = net.factors, net.states, net.by_h, net.scratch, net.product
    r, z, own, news = net.gates.swapaxes(0, 1)
    by_r, by_z, by_own, by_news = factors.swapaxes(0, 1)

    def forward() -> None:
        for t in range(net.steps):
            net.bend(net.read(t)[:2])
            new, after = news[t], states[t + 1]
            np.multiply(r[t], own[t], out=scratch)
            np.add(new, scratch, out=new)
            np.tanh(new, out=new)
            np.subtract(states[t], new, out=after)
            np.multiply(after, z[t], out=after)
            np.add(after, new, out=after)

    def fill_factors() -> None:
        np.multiply(news, news, out=by_news)
        np.subtract(1, by_news, out=by_news)
        np.subtract(1, z, out=closed)
        np.multiply(by_news, closed, out=by_news)
        np.multiply(by_news, r, out=by_own)
        np.subtract(1, r, out=by_r)
        np.multiply(by_r, by_own, out=by_r)
        np.multiply(by_r, own, out=by_r)
        np.subtract(states[:-1], news, out=by_z)
        np.multiply(by_z, z, out=by_z)
        np.multiply(by_z, closed, out=by_z)

    def backward() -> None:
        for t in range(net.steps - 1, -1, -1):
            np.multiply(factors[t], h, out=factors[t])
            if t:
                np.multiply(h, z[t], out=scratch)
                np.matmul(net.back, net.flat_factors[t], out=h)
                np.add(h, scratch, out=h)

    return net.step(network, forward, fill_factors, backward)
