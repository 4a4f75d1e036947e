"""Finding the operation that produces the first nan of a backward pass.

https://docs.pytorch.org/docs/stable/autograd.html#anomaly-detection
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.engine import Node
from minigrad.tensor import Tensor
from minigrad.watch import Watcher, watching


class Detector(Watcher):
    """Remembers where each operation was called, and raises an error for gradients that are nan."""

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.calls: WeakKeyDictionary[Node, str] = WeakKeyDictionary()

    def recorded(self, node: Node) -> None:
        """An operation has been recorded."""
        self.calls[node] = "".join(traceback.format_stack()[:-2])

    def backward(self, node: Node, wanted: Sequence[Any], g: Any, values: Sequence[Any]) -> Sequence[Any]:
        """The gradients of a node's inputs.

        Raises:
            RuntimeError: if one of them is nan somewhere.
        """
        found = node.function(wanted, g, *values)
        for i, share in enumerate(found if self.check_nan else ()):
            array = share.array if isinstance(share, Tensor) else share
            if array is not None and np.isnan(array).any():
                where = self.calls.get(node, "  (it was called before anomaly detection was enabled)\n")
                warnings.warn(
                    f"Error detected in {node.label}. Traceback of forward call that caused the error:\n{where}",
                    stacklevel=2,
                )
                raise RuntimeError(f"Function '{node.label}' returned nan values in its {i}th output.")
        return found


class set_detect_anomaly:  # noqa: N801 (torch's name)
    """Switch anomaly detection on or off: at once, and until the end of the block if used with ``with``.

    Args:
        mode: on or off.
        check_nan: whether gradients that are nan raise an error.

    >>> import minigrad
    >>> x = minigrad.zeros(1, requires_grad=True)
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # a warning shows where the operation was called
    >>> with minigrad.autograd.set_detect_anomaly(True):
    ...     (x / x).sum().backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'DivBackward0' returned nan values in its 1th output.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = watching.watcher
        if mode or is_anomaly_enabled():  # otherwise keep the current watcher
            watching.watcher = Detector(check_nan) if mode else None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        watching.watcher = self.before


class detect_anomaly(set_detect_anomaly):  # noqa: N801 (torch's name)
    """A block in which backward names the operation that produces the first nan, and the line that called it."""

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )
        super().__init__(True, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread."""
    return isinstance(watching.watcher, Detector)
