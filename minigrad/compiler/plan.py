"""A plan: a record made into a function, and what must hold for it to be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.compiler.builder import Builder
from minigrad.compiler.recorder import Recorder
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class Guards:
    """What must be as it was when a step was recorded, for the record to hold."""

    def __init__(self, record: Recorder) -> None:
        self.tensors = [(v.tensor, v.example, v.tensor.tracked) for v in record.values.values() if v.tensor is not None]
        seen = {id(tensor) for tensor, _, _ in self.tensors}
        for module in record.modules.values():  # buffers may be read as arrays
            own = [x for x in vars(module).values() if isinstance(x, Tensor) and id(x) not in seen]
            self.tensors += [(x, x.array, x.tracked) for x in own]
        self.leaves = [
            (leaf, bool(leaf.hooks), bool(leaf.after_accumulate))
            for leaf in record.leaves.values()
            if all(leaf is not x for x in record.inputs)
        ]
        self.modules = [(m, list(vars(m).items())) for m in record.modules.values()]
        self.changes = Module.changes

    def hold(self) -> bool:
        """Whether it is."""
        for tensor, array, tracked in self.tensors:
            if tensor.array is not array or tensor.tracked is not tracked:
                return False
        for leaf, hooks, after in self.leaves:
            if bool(leaf.hooks) is not hooks or bool(leaf.after_accumulate) is not after:
                return False
        if Module.changes != self.changes:
            if not all(alike(items, list(vars(module).items())) for module, items in self.modules):
                return False
            self.changes = Module.changes
        return True


class Plan:
    """A step that can be done again as long as the guards hold.

    Attributes:
        source: the text of the function.
        function: takes the input tensors, returns what the step returned.
        guards: what must hold.
    """

    def __init__(self, record: Recorder, output: Any, guards: Guards, name: str) -> None:
        from minigrad.compiler.kernels import written  # when it is needed first

        self.guards = guards
        builder = Builder(record, output)
        self.source = builder.build(output, written)
        exec(compile(self.source, "<minigrad.compile>", "exec"), builder.bound)
        self.function: Callable[..., Any] = builder.bound.pop("step")  # else it would hold itself, and all buffers
        self.function.__name__ = name


def alike(before: list[tuple[str, Any]], now: list[tuple[str, Any]]) -> bool:
    """Whether the same names stand for the same objects (or equal numbers and words)."""
    plain = (bool, int, float, str)
    return len(before) == len(now) and all(
        name == other and (x is y or (isinstance(x, plain) and type(x) is type(y) and x == y))
        for (name, x), (other, y) in zip(before, now, strict=True)
    )
