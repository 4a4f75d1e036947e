"""Error messages for missing names: where the name is, similar names, or that it was left out on purpose."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

#: What minigrad leaves out of torch, and substrings of the names concerned.
LEFT_OUT = {
    "complex numbers": ("complex", "cfloat", "cdouble", "conj", "angle", "polar", "imag", "fft", "stft"),
    "sparse tensors": ("sparse", "coalesce", "_coo", "_csr"),
    "quantized tensors": ("quantiz", "quantis", "qint", "quint", "q_scale", "q_zero", "qscheme"),
    "bfloat16": ("bfloat16",),
    "devices other than the CPU": ("cuda", "mps", "xpu", "mtia", "vulkan", "ipu", "hpu", "cudnn"),
    "distributed training": ("distributed", "rpc"),
    "TorchScript": ("jit", "script"),
}
PLACES = ("nn", "nn.functional", "nn.init", "nn.utils", "optim", "optim.lr_scheduler", "linalg", "autograd")


def missing(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that its owner does not have, `known` being those that it has.

    >>> missing("module 'minigrad'", "ReLU", ["relu"])
    AttributeError("module 'minigrad' has no attribute 'ReLU'; there is nn.ReLU")
    >>> missing("module 'minigrad'", "maxmum", ["maximum", "mean"])
    AttributeError("module 'minigrad' has no attribute 'maxmum'. Did you mean maximum?")
    """
    text = f"{owner} has no attribute {name!r}"
    if name.startswith("_"):  # Python and NumPy look these up
        return AttributeError(text)
    for what, words in LEFT_OUT.items():
        if any(word in name.lower() for word in words):
            return AttributeError(f"{text}: minigrad leaves out {what}")
    if found := [f"{place}.{name}" for place in ("minigrad", *PLACES, "utils.data", "Tensor") if name in _names(place)]:
        return AttributeError(f"{text}; there is {' and '.join(found)}")
    import difflib  # slow to import

    similar = [word for word in known if word[:1] == name[:1] or word[-3:] == name[-3:]]
    near = difflib.get_close_matches(name, similar, 3, 0.7)
    return AttributeError(f"{text}. Did you mean {' or '.join(near)}?" if near else text)


def _names(place: str) -> Any:
    if place == "Tensor":
        return vars(sys.modules["minigrad.tensor"].Tensor)
    path = place if place == "minigrad" else f"minigrad.{place}"
    return vars(sys.modules[path]) if path in sys.modules else {}


def explain(module: str, later: Sequence[str] = ()) -> None:
    """Give a module a ``__getattr__`` with these messages. (One defined there would hide mistakes from mypy.)

    Args:
        module: its name.
        later: its submodules that are imported at their first use.
    """
    namespace = vars(sys.modules[module])

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name in later:
            return importlib.import_module(f"{module}.{name}")
        raise missing(f"module {module!r}", name, [word for word in namespace if not word.startswith("_")])

    namespace["__getattr__"] = __getattr__
