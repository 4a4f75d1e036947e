"""Tensors that share memory, and what a write to one of them means for the graph.

A view remembers its *base*, the tensor that owns its memory, and the operations that made the view from it. A tracked
write to a view makes the base the result of an operation, ``CopySlices``, of its old value and the value written. This
changes the history of its other views too; each is brought up to date when it is next used (`refresh`).
https://docs.pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.engine import Array, Node, Variable, edge_to
from minigrad.grad_mode import grad_mode, recording
from minigrad.hooks import RETAIN
from minigrad.kernels.memory import axes, dense
from minigrad.watch import call, watching

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Steps(NamedTuple):
    """The operations that make a view from its base, in order. (The graph holds these instead of tensors.)"""

    last: Callable[[Any], Any]
    before: Steps | None

    def __call__(self, base: Any) -> Any:
        """The view of a tensor, or an array, of the base's shape."""
        steps, rest = [self.last], self.before
        while rest is not None:  # no recursion: there may be thousands
            steps.append(rest.last)
            rest = rest.before
        for step in reversed(steps):
            base = step(base)
        return base


class View(NamedTuple):
    """How a view was made from the tensor that owns its memory."""

    source: Tensor
    replay: Steps
    writes: int  #: the base's version for which its place in the graph was found
    refusal: tuple[str, str] | None = None  #: why tracked writes to it are refused: its origin, what to do instead
    reshaped: bool = False  #: whether it is no view for users, but was given another shape in place

    @property
    def base(self) -> Tensor:
        """The tensor that owns the memory: `source`, or what that was before it was reshaped in place."""
        base = self.source
        while base.view_of is not None:
            base = base.view_of.source
        return base


NO_GRAD = (
    "A view was created in no_grad mode",
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both "
    "the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
    "both outside (if you want the inplace to be tracked).",
)
SEVERAL = (
    "Output {} of {} is a view",
    "This view is the output of a function that returns multiple views. Such functions do not allow the output views "
    "to be modified inplace. You should replace the inplace operation by an out-of-place one.",
)


def mark_view(out: Tensor, source: Tensor, function: Callable[..., Any], rest: Sequence[Any]) -> None:
    """Mark ``out = function(source, *rest)`` as a view of the memory of `source`."""
    if source.version is None:
        source.version = [0]
    out.version = source.version
    if owns_its_memory(source):
        source.view_of = None
    base, before, _, refusal, reshaped = source.view_of or (source, None, 0, None, False)
    refusal = refusal or (None if grad_mode.enabled else NO_GRAD)
    steps = Steps(lambda x: function(x, *rest), before)
    out.view_of = View(source if reshaped else base, steps, source.version[0], refusal)


def several(views: Iterable[Tensor], function: str) -> tuple[Tensor, ...]:
    """Mark the views that one function returns together: torch refuses tracked writes to them."""
    found = tuple(views)
    for i, view in enumerate(found):
        if isinstance(view, Variable) and view.view_of is not None and view.view_of.refusal is None:
            view.view_of = view.view_of._replace(refusal=(SEVERAL[0].format(i, function), SEVERAL[1]))
    return found


def alone(tensor: Tensor) -> bool:
    """Whether it is no view, or the only view of an otherwise unused base, as an operation's reshaped result is."""
    return tensor.view_of is None or sys.getrefcount(tensor.view_of.source) <= 2


def owns_its_memory(tensor: Tensor) -> bool:
    """Whether it is a view only because the operation that made it reshaped its result."""
    view = tensor.view_of
    return view is not None and not view.reshaped and alone(tensor)


def lay_out(tensor: Any) -> None:
    """Copy a result into row-major order, torch's layout, before anything shares its memory."""
    if tensor.loose:
        tensor.loose = False
        if not tensor.array.flags.c_contiguous:
            tensor.array = call(np.ascontiguousarray, tensor.array)


def passed_on(result: Any, view: Callable[..., Any], *args: Any) -> Any:
    """A view of a fresh result that goes no further: it stands for the result, and its layout stays open too."""
    if isinstance(result, np.ndarray):
        return view(result, *args)
    result.loose = False
    out = view(result, *args)
    out.view_of = None
    return loosened(out)


def inside(x: Any, view: Callable[..., Any], *args: Any) -> Any:
    """A view of an operand that only the operation sees: the operand's layout stays open."""
    if isinstance(x, np.ndarray) or not x.loose:
        return view(x, *args)
    out = passed_on(x, view, *args)
    x.loose = True
    return out


def loosened(result: Any) -> Any:
    """A result whose layout is not its operand's in torch, but row-major."""
    if not isinstance(result, np.ndarray):
        result.loose = result.array.ndim > 2 and not result.array.flags.c_contiguous
    return result


def requires_grad(tensor: Tensor) -> bool:
    """Whether what is computed from it requires a gradient: a view does if its base does.

    (The gradient of a view that was made without recording goes nowhere, as in torch: it is not `tracked` itself.)
    """
    view = tensor.view_of
    if tensor.tracked or view is None or tensor.array.dtype.kind not in "fc":
        return tensor.tracked
    return view.source.tracked or view.base.tracked


def refresh(tensor: Tensor) -> bool:
    """Bring a view's place in the graph up to date after its base was written to; returns `requires_grad`."""
    view = tensor.view_of
    if view is None or tensor.version is None or view.writes == tensor.version[0]:
        return requires_grad(tensor)
    if view.refusal is not None and not alone(tensor):
        if not grad_mode.enabled or not requires_grad(tensor):
            return requires_grad(tensor)
        origin, instead = view.refusal
        raise RuntimeError(
            f"{origin} and its base or another view of its base has been modified inplace"
            f"{' with grad mode enabled' if view.refusal is NO_GRAD else ''}. {instead}"
        )
    with recording(True):
        fresh = view.replay(view.base)
    if fresh.tracked or not tensor.tracked:  # else the base was told to require no gradient
        tensor.tracked = fresh.tracked
        _move(tensor, fresh.node, fresh.output)
    tensor.view_of = view._replace(writes=tensor.version[0])
    return tensor.tracked


def assign(tensor: Tensor, result: Tensor) -> Tensor:
    """Make `tensor` what `result` is: its values, written into this memory, and its place in the graph.

    All in-place operations end here.

    Raises:
        RuntimeError: if the tensor is a leaf that requires grad (or a view of one) and recording is on, or if shape
            or dtype do not match.
    """
    refresh(tensor)
    tracking = grad_mode.enabled and (requires_grad(tensor) or result.tracked) and tensor.array.dtype.kind in "fc"
    check_write(tensor, result)
    if result.node is not None and result.node.saved:  # the gradients need the values from before the write
        before = type(result).wrap(call(np.copy, tensor.array), tensor.node)
        before.version = tensor.version and list(tensor.version)
        result.node.saved = [before if value is tensor else value for value in result.node.saved]
    if result.array is not tensor.array:
        if watching.watcher is not None:
            watching.watcher.write(tensor)
        call(np.copyto, tensor.array, result.array, "unsafe")
    tensor.bump()
    if tracking:
        rewrite(tensor, result if result.array.dtype == tensor.array.dtype else result.to(tensor.dtype))
    return tensor


def check_write(tensor: Tensor, result: Tensor) -> None:
    """Reject writes of `result` into `tensor` that torch refuses; see `assign`."""
    view = tensor.view_of
    refusal = view.refusal if view else None
    if refusal and grad_mode.enabled and (requires_grad(tensor) or result.tracked) and not alone(tensor):
        origin, instead = refusal
        raise RuntimeError(f"{origin} and is being modified inplace with grad mode enabled. {instead}")
    base = view.base if view else tensor
    if grad_mode.enabled and (base.tracked or requires_grad(tensor)) and base.node is None:
        what = "a leaf Variable" if view is None or view.reshaped else "a view of a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")
    if result.array.shape != tensor.array.shape:
        raise RuntimeError(
            f"output with shape {list(tensor.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    if dtypes.category(result.array.dtype) > dtypes.category(tensor.array.dtype):
        raise RuntimeError(f"result type {result.dtype} can't be cast to the desired output type {tensor.dtype}")
    if not tensor.array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def reshape_in_place(tensor: Tensor, function: Callable[..., Tensor], *args: Any) -> Tensor:
    """Make `tensor` the view ``function(tensor, *args)`` of what it was: views made before are views of that, too.

    It counts as a write: gradients that need what it was can't be computed any more.
    """
    check_write(tensor, tensor)
    if owns_its_memory(tensor):
        tensor.view_of = None
    before, view = tensor, tensor.view_of
    if view is None:
        before = type(tensor).wrap(tensor.array)
        before.node, before.output, before.tracked = tensor.node, tensor.output, tensor.tracked
        before.version = tensor.version
    with recording(True):
        after = function(before, *args)
    tensor.array, tensor.version, tensor.tracked = after.array, after.version, after.tracked
    tensor.bump()
    tensor.view_of = after.view_of
    if after.view_of is not None and (view is None or view.reshaped):
        tensor.view_of = after.view_of._replace(source=view.source if view else before, reshaped=True)
    _move(tensor, after.node, after.output)
    return tensor


def blank(g: Any, part: Steps | None = None) -> Any:
    """A copy of a gradient with 0 in a part of it, or zeros: nothing flows to what was overwritten."""
    if part is None:
        return np.zeros_like(g) if isinstance(g, (np.ndarray, np.generic)) else type(g).wrap(np.zeros_like(g.array))
    rest = np.array(g) if isinstance(g, (np.ndarray, np.generic)) else g.clone()
    part(rest)[...] = 0
    return rest


def _written_over(wanted: Sequence[Any], g: Any) -> list[Any]:
    return [wanted[0] and blank(g), g]


def rewrite(tensor: Tensor, result: Tensor) -> None:
    """Give the tensor, or its base, its new history after a tracked write."""
    view = tensor.view_of
    if view is None:
        node, output = result.node, result.output
        if node is None:  # a constant, or a leaf, was written
            edges = [edge_to(tensor), edge_to(result)]
            node, output = Node("CopyBackwards", _written_over, edges), 0
        _move(tensor, node, output)
        tensor.tracked = True
        return
    base, replay = view.base, view.replay
    before = Variable()
    before.array, before.node, before.output, before.tracked = base.array, base.node, base.output, base.tracked

    edges = [edge_to(before), edge_to(result)]
    _move(base, Node("CopySlices", lambda wanted, g: [blank(g, replay), replay(g)], edges), 0)
    base.tracked = True


def _move(tensor: Tensor, node: Node | None, output: int) -> None:
    """Give a tensor another place in the graph, and move the hook of `Tensor.retain_grad` there."""
    keep = None
    if tensor.retains_grad and tensor.node is not None and tensor.node.hooks:
        keep = tensor.node.hooks[tensor.output].pop(RETAIN, None)
    tensor.node, tensor.output = node, output
    if keep is not None and node is not None:
        own_hooks(tensor)[RETAIN] = keep


def own_hooks(tensor: Tensor) -> dict[int, Any]:
    """The hooks for the gradient of a tensor: its own if it is a leaf, else those of its node's result."""
    if tensor.node is None:
        if tensor.hooks is None:
            tensor.hooks = {}
        return tensor.hooks
    if tensor.node.hooks is None:
        tensor.node.hooks = {}
    return tensor.node.hooks.setdefault(tensor.output, {})


def copied(array: Array, memo: dict[int, Any]) -> Array:
    """A deep copy of an array; copies of arrays that share memory share memory too."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if not dense(owner):
        return np.array(array)
    if id(owner) not in memo:
        memo[id(owner)] = np.array(owner)
        memo.setdefault(id(memo), []).append(owner)  # so that its id is not reused
    twin = memo[id(owner)]
    offset = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    flat = twin.transpose(axes(twin)).reshape(-1).view(np.uint8)
    return np.ndarray(array.shape, array.dtype, flat, offset, array.strides)
