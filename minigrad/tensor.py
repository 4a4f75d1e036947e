"""`Tensor`: an array, its gradient, and its edge into the graph.

The class is small on purpose: creation, printing, conversion, differentiation and writes.
Everything that computes (``+``, ``@``, ``exp``, ``sum``, indexing …) is attached by `minigrad.ops`, one
method for each operation's record.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from minigrad import dtypes, engine, views, watch
from minigrad.conversions import OWN, Conversions
from minigrad.dtypes import dtype
from minigrad.engine import Array, Node, Variable
from minigrad.grad_mode import grad_mode, recording
from minigrad.hooks import RETAIN, Removable
from minigrad.names import missing
from minigrad.size import Size as Size
from minigrad.size import device as device
from minigrad.views import View, own_hooks
from minigrad.watch import writes_to_tensors as writes_to_tensors


class Tensor(Conversions):
    """A multi-dimensional array that remembers how it was computed.

    ``Tensor(2, 3)`` is an uninitialised float32 tensor of that shape, ``Tensor([1, 2])`` one with that
    content; `minigrad.tensor` is the usual way to make one.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    view_of: View | None = None
    retains_grad: bool = False
    loose: bool = False  #: whether it is a result that nobody shares yet: see `minigrad.views.lay_out`
    after_accumulate: dict[int, Callable[[Tensor], None]] | None = None
    _grad: Tensor | None = None
    __array_priority__: ClassVar[int] = 1000  # NumPy leaves `array * tensor` to us

    def __new__(cls, *content: Any, **_: Any) -> Tensor:
        """See the class."""
        if len(content) == 1 and not isinstance(content[0], (int, np.integer)):
            values = content[0].array if isinstance(content[0], Tensor) else content[0]
            return cls.wrap(np.array(values, dtype=dtypes.default.numpy))
        return cls.wrap(np.empty(content, dtype=dtypes.default.numpy))

    @classmethod
    def wrap(cls, array: Array, node: Node | None = None) -> Tensor:
        """A tensor that holds this array (no copy); with a node, a result of that operation.

        >>> import numpy as np
        >>> Tensor.wrap(np.arange(3))
        tensor([0, 1, 2])
        """
        self = object.__new__(cls)
        self.array = array
        if node is not None:
            self.node = node
            self.tracked = True
        return self

    @staticmethod
    def made(array: Array) -> Tensor:
        """A tensor on an array that was just computed; its layout may still become torch's (`views.lay_out`)."""
        self = object.__new__(Tensor)
        self.array = array
        if array.ndim > 2 and not array.flags.c_contiguous:
            self.loose = True
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise missing(f"{type(self).__name__!r} object", name, dir(type(self)))

    # ---- properties ---------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The length of each dimension."""
        return Size(self.array.shape)

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...
    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension.

        >>> import minigrad
        >>> minigrad.zeros(2, 3).size(-1)
        3
        """
        if dim is None:
            return self.shape
        if not -self.array.ndim <= dim < self.array.ndim:
            raise IndexError(out_of_range(dim, self.array.ndim))
        return self.array.shape[dim]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    @property
    def dtype(self) -> dtype:
        """The data type of the elements."""
        return dtype.known[self.array.dtype]

    @property
    def device(self) -> device:
        """Always the CPU."""
        return device()

    is_cuda = False
    is_sparse = False
    is_quantized = False
    layout = "strided"

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    def element_size(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    @overload
    def stride(self) -> tuple[int, ...]: ...
    @overload
    def stride(self, dim: int) -> int: ...
    def stride(self, dim: int | None = None) -> Any:
        """The distance in memory, in elements, from one index to the next, for each dimension or for one."""
        views.lay_out(self)
        steps = tuple(step // self.array.itemsize for step in self.array.strides)
        return steps if dim is None else steps[dim]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order."""
        views.lay_out(self)
        return bool(self.array.flags.c_contiguous)

    def is_floating_point(self) -> bool:
        """Whether the elements are floats."""
        return self.array.dtype.kind == "f"

    def data_ptr(self) -> int:
        """The memory address of the first element."""
        return int(self.array.ctypes.data)

    # ---- autodiff -----------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor. Can be set on a leaf.

        Raises:
            RuntimeError: when set on a result of an operation, or on a tensor of integers.
        """
        return views.requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        watch.read("requires_grad is set")
        if self.node is not None:
            if value:
                return
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and self.array.dtype.kind not in "fc":
            raise RuntimeError(
                f"only Tensors of floating point and complex dtype can require gradients, not {self.dtype}"
            )
        self.tracked = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` in place."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        if self.view_of is not None and self.view_of.refusal is None:
            self.refresh()
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        """The operation that made this tensor, as a node of the graph."""
        with recording(True):
            self.refresh()
        return self.node

    @property
    def grad(self) -> Tensor | None:
        """The sum of all gradients that `backward` has computed for this leaf; None before the first.

        Raises:
            RuntimeError: when set to a tensor of another shape or dtype.
        """
        if self.node is not None and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. It is not populated by "
                "backward(); call .retain_grad() on the tensor first if you want it.",
                stacklevel=2,
            )
        if watch.watching.watcher is not None:
            watch.watching.watcher.gradient(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is None:
            self._forget_grad()
        else:
            watch.read("grad is set")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got {type(value).__name__}")
            if value.array.shape != self.array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if value.array.dtype != self.array.dtype:
                raise RuntimeError(f"assigned grad has data of a different type: {value.dtype} for {self.dtype}")
            self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._forget_grad()

    @writes_to_tensors
    def _forget_grad(self) -> None:
        self._grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add the gradient of this tensor to the ``grad`` of every leaf that it was computed from.

        Args:
            gradient: the gradient of the final result with respect to this tensor, of its shape. May be left out
                for a tensor of one element: then it is 1.
            retain_graph: keep the graph, so that backward can be called again. Default: `create_graph`.
            create_graph: record the backward pass, so that gradients can be differentiated.
            inputs: only add to the ``grad`` of these.

        Raises:
            RuntimeError: if nothing here requires a gradient, or the shapes differ.
        """
        run_backward((self,), (gradient,), inputs, retain_graph, create_graph)

    def detach(self) -> Tensor:
        """The same values, detached from the graph (shares memory)."""
        views.lay_out(self)
        cut = Tensor.wrap(self.array)
        self.version = cut.version = self.version or [0]
        return cut

    def detach_(self) -> Tensor:
        """Detach this tensor from the graph."""
        if not views.alone(self):
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.node, self.tracked, self.view_of = None, False, None
        return self

    @property
    def data(self) -> Tensor:
        """The same values, detached from the graph; autograd does not notice writes to it."""
        views.lay_out(self)
        return Tensor.wrap(self.array)

    @data.setter
    def data(self, value: Tensor) -> None:
        watch.read("data is set")
        self.array = value.array

    def retain_grad(self) -> None:
        """Keep the gradient of this result of an operation in its ``grad``."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self.retains_grad:
            return
        self.refresh()
        self.retains_grad = True
        this = weakref.ref(self)

        def keep(g: Tensor) -> None:
            if (tensor := this()) is not None:
                tensor._grad = g.contiguous() if tensor._grad is None else tensor._grad + g

        own_hooks(self)[RETAIN] = keep

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Removable:
        """Call `hook` with each gradient of this tensor; what it returns, if anything, replaces the gradient.

        >>> import minigrad
        >>> x = minigrad.tensor(1.0, requires_grad=True)
        >>> handle = x.register_hook(lambda g: 10 * g)
        >>> (3 * x).backward()
        >>> x.grad
        tensor(30.)
        """
        if not self.refresh():
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return Removable(own_hooks(self), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Removable:
        """Call ``hook(tensor)`` each time after backward has added to this leaf's ``grad``."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self.after_accumulate is None:
            self.after_accumulate = {}
        return Removable(self.after_accumulate, hook)

    def bump(self) -> None:
        """Count a write to the array, so that backward can tell if it needs the overwritten values."""
        if self.version is None:
            self.version = [0]
        self.version[0] += 1

    def assign(self, result: Tensor) -> Tensor:
        """Make this tensor what `result` is, in place; see `minigrad.views.assign`."""
        return views.assign(self, result)

    def refresh(self) -> bool:
        """Bring a view's place in the graph up to date; see `minigrad.views.refresh`."""
        return views.refresh(self)


OWN.update(Variable.__annotations__, **Tensor.__annotations__)


def seeds(
    tensors: Sequence[Tensor], gradients: Sequence[Tensor | None], create_graph: bool
) -> list[tuple[Variable, Any]]:
    """Pair each tensor with its given gradient (by default 1, for a tensor of one element).

    Raises:
        RuntimeError: if a tensor does not require grad, is no scalar and has no gradient, or has one of another shape.
    """
    if create_graph:
        watch.read("backward with create_graph=True")
    watcher = watch.watching.watcher
    pairs: list[tuple[Variable, Any]] = []
    for i, (tensor, g) in enumerate(zip(tensors, gradients, strict=True)):
        if tensor.view_of is not None:
            tensor.refresh()
        if not tensor.tracked:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if g is None:
            if tensor.array.size != 1:
                raise RuntimeError(
                    "grad can be implicitly created only for scalar outputs, and output "
                    f"{i} has shape {list(tensor.shape)}; pass gradient=…"
                )
            ones = np.ones_like(tensor.array) if watcher is None else watcher.call(np.ones_like, tensor.array)
            pairs.append((tensor, Tensor.wrap(ones) if create_graph else ones))
            continue
        if g.array.shape != tensor.array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of "
                f"{tensor.shape}."
            )
        if g.array.dtype != tensor.array.dtype:
            g = g.to(tensor.dtype)
        pairs.append((tensor, g if create_graph else g.array))
    return pairs


def run_backward(
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    inputs: Tensor | Sequence[Tensor] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """`Tensor.backward` for several tensors at once: one walk, gradients added to the leaves' ``grad``."""
    if inputs is not None:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not inputs:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
    roots = seeds(tensors, gradients, create_graph)
    for x in inputs or ():
        x.retain_grad()
    keep = create_graph if retain_graph is None else retain_graph
    arrived = walk_back(roots, inputs, keep, create_graph)
    taken = {id(g) for _, g in roots}
    watcher = watch.watching.watcher
    for leaf, g in arrived.items():
        if not isinstance(leaf, Tensor) or not leaf.tracked:  # a leaf may have been frozen since
            continue
        if watcher is None:
            accumulate(leaf, g, taken)
        else:
            watcher.accumulate(accumulate, leaf, g, taken)
        if leaf.after_accumulate:
            for hook in list(leaf.after_accumulate.values()):
                writes_to_tensors(hook)(leaf)


def walk_back(
    roots: Sequence[tuple[Variable, Any]], inputs: Sequence[Variable] | None, retain_graph: bool, create_graph: bool
) -> engine.Arrived:
    """`engine.backward` on tensors, recorded if `create_graph`."""
    before, grad_mode.enabled = grad_mode.enabled, create_graph
    try:
        return engine.backward(roots, Tensor.wrap, inputs, retain_graph, create_graph)
    finally:
        grad_mode.enabled = before


def accumulate(leaf: Tensor, g: Any, taken: set[int]) -> None:
    """Add a gradient to ``leaf.grad``. `taken`: ids of arrays that are in use elsewhere, and so are copied."""
    before = leaf._grad
    if isinstance(g, Tensor):
        leaf._grad = g.clone("contiguous_format" if g.ndim < 3 else None) if before is None else before + g
    elif before is None:
        if not isinstance(g, np.ndarray) or g.base is not None or id(g) in taken:
            g = np.array(g, order="K" if g.ndim > 2 else "C")
        elif g.ndim == 2 and not g.flags.c_contiguous:
            g = np.array(g, order="C" if leaf.array.flags.c_contiguous else "K")
        taken.add(id(g))
        leaf._grad = Tensor.made(g)
    else:
        before.array += g
        before.bump()


def out_of_range(dim: int, ndim: int) -> str:
    """The message for a dimension that a tensor does not have."""
    low, high = -max(ndim, 1), max(ndim, 1) - 1
    return f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
