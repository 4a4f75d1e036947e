"""Recurrent layers, whose state is carried from step to step, and their cells, which take one step.

The equations are those of https://docs.pytorch.org/docs/stable/nn.html#recurrent-layers; they are in
`minigrad.ops.recurrence`, where a layer's pass over a whole sequence is one operation.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from minigrad import creation
from minigrad.dtypes import DTypeLike
from minigrad.kernels.recurrence import CELLS
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter, add_parameters
from minigrad.ops.linalg import linear
from minigrad.ops.recurrence import STEPS, State, Step, layers
from minigrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell"]

NONLINEARITIES = ("tanh", "relu")


def _reset(module: Module, hidden_size: int) -> None:
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)


def _zeros(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    return creation.zeros(shape, dtype=like.dtype)


# ---- layers ----------------------------------------------------------------------------------------------


class RNNBase(Module):
    """Base of `RNN`, `LSTM` and `GRU`.

    Args:
        mode: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
        input_size: the length of each step's input.
        hidden_size: the length of the state.
        num_layers: how many layers; each one's outputs are the next one's inputs.
        bias: whether there are biases.
        batch_first: whether the batch comes before time.
        dropout: the probability with which outputs between the layers are dropped while training.
        bidirectional: whether each layer reads the sequence in both directions.
        proj_size: the length to which an LSTM's h is projected after each step, with weight_hr_l{k} (proj_size,
            hidden_size); 0 for none. Where it is not 0, read proj_size for hidden_size in the shapes of h and outputs.

    Parameters, for layer k: weight_ih_l{k} (gates·hidden_size, inputs), weight_hh_l{k} (gates·hidden_size,
    hidden_size), bias_ih_l{k} and bias_hh_l{k}; the same with ``_reverse`` for the other direction. All start uniform
    in ±1/√hidden_size, drawn in this order, as torch draws them.

    Raises:
        ValueError: if a size is not above 0, `dropout` is not in [0, 1], or `proj_size` is negative or not below
            `hidden_size`.
        TypeError: if a size is not an integer, or `bias` or `batch_first` is not a boolean.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        if mode not in CELLS:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        if proj_size and mode != "LSTM":
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, value in sizes.items():
            if not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        for name, flag in {"bias": bias, "batch_first": batch_first}.items():
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        if small := next((name for name, value in sizes.items() if value <= 0), None):
            raise ValueError(f"{small} must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError(f"proj_size has to be smaller than hidden_size, but got {proj_size} and {hidden_size}")
        self.mode, self.bias, self.batch_first = mode, bias, batch_first
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        self._suffixes = [f"l{k}{d}" for k in range(num_layers) for d in ("", "_reverse")[: 1 + bidirectional]]
        gates, seen = CELLS[mode].gates * hidden_size, proj_size or hidden_size
        for i, suffix in enumerate(self._suffixes):
            inputs = input_size if i < 1 + bidirectional else (1 + bidirectional) * seen
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, seen)}
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            add_parameters(self, device, dtype, **{f"{name}_{suffix}": shape for name, shape in shapes.items()})
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw all weights and biases."""
        _reset(self, self.hidden_size)

    def flatten_parameters(self) -> None:
        """Does nothing: only GPU libraries need contiguous weights."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [self._weights(suffix) for suffix in self._suffixes]

    def _weights(self, suffix: str) -> list[Parameter]:
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"][: 4 if self.bias else 2]
        names += ["weight_hr"] if self.proj_size else []
        return [getattr(self, f"{name}_{suffix}") for name in names]

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Any, Any]:
        """Read a sequence.

        Args:
            input: (T, N, input_size), with `batch_first` (N, T, input_size), or one sequence (T, input_size).
            hx: the first state, (layers·directions, N, hidden_size) or (layers·directions, hidden_size); for an LSTM
                a pair (h, c) of these. Zeros by default.

        Returns:
            The last layer's outputs at all steps, (…, directions·hidden_size), both directions concatenated; and all
            layers' last states, shaped as `hx`.

        Raises:
            ValueError: for an input with another number of dimensions, or another dtype than the weights.
            RuntimeError: if the sizes do not match, or the sequence is empty.
        """
        name = type(self).__name__
        if input.ndim not in (2, 3):
            rest = "D tensor instead" if self.mode.startswith("RNN") else "D instead"
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.ndim}{rest}")
        known = self._weights(self._suffixes[0])[0].dtype
        if input.dtype != known:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({known}). Convert input: "
                f"input.to({known}), or convert model: model.to({input.dtype})"
            )
        batched = input.ndim == 3
        parts = CELLS[self.mode].parts
        given = None if hx is None else tuple(hx) if parts == 2 else (hx,)
        if given is not None:
            self._check_dims(given, batched)
        if not batched:
            input = input.unsqueeze(1)
            given = given and tuple(part.unsqueeze(1) for part in given)
        batch_first = batched and self.batch_first
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )
        n, steps = input.shape[:2] if batch_first else input.shape[1::-1]
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[:parts]
        shapes = [(len(self._suffixes), n, width) for width in widths]
        for i, (part, shape) in enumerate(zip(given or (), shapes, strict=False)):
            if tuple(part.shape) != shape:
                what = f"hidden[{i}]" if parts == 2 else "hidden"
                raise RuntimeError(f"Expected {what} size {shape}, got {list(part.shape)}")
        if steps == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        start = given or tuple(_zeros(input, shape) for shape in shapes)
        params = [weight for weights in self.all_weights for weight in weights]
        how = (self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
        out, *last = layers[self.mode](input, start if parts == 2 else start[0], params, *how, batch_first)
        if not batched:
            out, last = out.squeeze(1), [part.squeeze(1) for part in last]
        return out, tuple(last) if parts == 2 else last[0]

    def _check_dims(self, given: State, batched: bool) -> None:
        wanted = 3 if batched else 2
        dims = [part.ndim for part in given]
        if any(n != wanted for n in dims):
            layout = "batched 3-D" if batched else "unbatched 2-D"
            what = "hx and cx" if len(given) == 2 else "hx"
            got = f"({dims[0]}-D, {dims[1]}-D) tensors" if len(given) == 2 else f"{dims[0]}-D tensor"
            raise RuntimeError(f"For {layout} input, {what} should also be {wanted}-D but got {got}")

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        for name, default in {**defaults, "bidirectional": False}.items():
            if (value := getattr(self, name)) != default:
                text += f", {name}={value}"
        return text


class RNN(RNNBase):
    """The plain recurrent layer (Elman): ``h' = tanh(W x + b + U h + c)``; see `RNNBase`.

    `nonlinearity` may be ``"relu"``.

    Raises:
        ValueError: for another nonlinearity.

    >>> import minigrad
    >>> out, h = RNN(3, 4, batch_first=True)(minigrad.randn(2, 5, 3))
    >>> out.shape, h.shape
    (minigrad.Size([2, 5, 4]), minigrad.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode, where = f"RNN_{nonlinearity.upper()}", (device, dtype)
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, *where
        )
        self.nonlinearity = nonlinearity


class _Gated(RNNBase):
    gates: ClassVar[str]  #: the mode

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        mode, where = self.gates, (device, dtype)
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, *where
        )


class LSTM(_Gated):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate; see `RNNBase`.

    The order of the gates is i, f, g, o: ``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(c')``. The state is the
    pair (h, c).

    >>> import minigrad
    >>> out, (h, c) = LSTM(3, 4, bidirectional=True)(minigrad.randn(5, 2, 3))
    >>> out.shape, h.shape, c.shape
    (minigrad.Size([5, 2, 8]), minigrad.Size([2, 2, 4]), minigrad.Size([2, 2, 4]))
    """

    gates = "LSTM"


class GRU(_Gated):
    """The gated recurrent unit (Cho et al., arXiv:1406.1078); see `RNNBase`.

    The order of the gates is r, z, n: ``h' = (1 - z) n + z h``, where r scales the state's part of n.

    >>> import minigrad
    >>> out, h = GRU(3, 4, num_layers=2)(minigrad.randn(5, 2, 3))
    >>> out.shape, h.shape
    (minigrad.Size([5, 2, 4]), minigrad.Size([2, 2, 4]))
    """

    gates = "GRU"


# ---- cells -----------------------------------------------------------------------------------------------


class _Cell(Module):
    """Base of the cells."""

    mode: ClassVar[str]
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        n = CELLS[self.mode].gates * hidden_size
        add_parameters(self, device, dtype, weight_ih=(n, input_size), weight_hh=(n, hidden_size))
        add_parameters(self, device, dtype, **dict.fromkeys(("bias_ih", "bias_hh"), (n,) if bias else None))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw all weights and biases."""
        _reset(self, self.hidden_size)

    def _step(self) -> Step:
        return STEPS[self.mode]

    def forward(self, input: Tensor, hx: Any = None) -> Any:
        """Take one step.

        Args:
            input: (N, input_size) or (input_size,).
            hx: the state, (N, hidden_size) or (hidden_size,); for an `LSTMCell` a pair of these. Zeros by default.

        Returns:
            The next state, shaped as `hx`.

        Raises:
            ValueError: for an input or a state with another number of dimensions.
            RuntimeError: if the sizes do not match.
        """
        name, parts = type(self).__name__, CELLS[self.mode].parts
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if hx is None:
            state: State = (_zeros(input, (*input.shape[:-1], self.hidden_size)),) * parts
        else:
            state = tuple(hx) if parts == 2 else (hx,)
        for i, part in enumerate(state):
            if part.ndim not in (1, 2):
                what = f"hx[{i}]" if parts == 2 else "hidden"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {part.ndim}D instead")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        for i, part in enumerate(state):
            if part.shape[:-1] != input.shape[:-1]:
                sizes = [x.shape[0] if x.ndim == 2 else 1 for x in (input, part)]
                raise RuntimeError(f"Input batch size {sizes[0]} doesn't match hidden{i} batch size {sizes[1]}")
            if part.shape[-1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {part.shape[-1]}, expected {self.hidden_size}"
                )
        after = self._step()(linear(input, self.weight_ih, self.bias_ih), state, self.weight_hh, self.bias_hh)
        return after if parts == 2 else after[0]

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")


class RNNCell(_Cell):
    """One step of an `RNN`: (N, input_size), (N, hidden_size) → (N, hidden_size).

    >>> import minigrad
    >>> RNNCell(3, 4)(minigrad.ones(2, 3)).shape
    minigrad.Size([2, 4])
    """

    mode = "RNN_TANH"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self) -> Step:
        if self.nonlinearity not in NONLINEARITIES:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return STEPS[f"RNN_{self.nonlinearity.upper()}"]

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of an `LSTM`: (N, input_size), a pair of (N, hidden_size) → a pair of (N, hidden_size).

    >>> import minigrad
    >>> h, c = LSTMCell(3, 4)(minigrad.ones(2, 3))
    >>> h.shape, c.shape
    (minigrad.Size([2, 4]), minigrad.Size([2, 4]))
    """

    mode = "LSTM"


class GRUCell(_Cell):
    """One step of a `GRU`: (N, input_size), (N, hidden_size) → (N, hidden_size).

    >>> import minigrad
    >>> GRUCell(3, 4)(minigrad.ones(2, 3)).shape
    minigrad.Size([2, 4])
    """

    mode = "GRU"
