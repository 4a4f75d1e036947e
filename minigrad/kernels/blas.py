"""OpenBLAS, with which NumPy multiplies matrices: its threads, and what it multiplies without copies."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from contextlib import ContextDecorator
from threading import RLock
from typing import NamedTuple

#: Kernels that multiply small matrices without copies (kernel/x86_64/sgemm_small_kernel_permit_skylakex.c).
CORES = ("SkylakeX", "Cooperlake", "SapphireRapids")


class Library(NamedTuple):
    """The settings of OpenBLAS that can be read and set."""

    get_num_threads: Callable[[], int]
    set_num_threads: Callable[[int], object]
    copies_all: bool  #: whether it copies small matrices too


@functools.cache
def library() -> Library | None:
    """The OpenBLAS that NumPy computes with; None if it is another library."""
    import ctypes

    try:
        core = importlib.import_module("numpy._core._multiarray_umath")
        found = ctypes.CDLL(core.__file__)  # already loaded; it finds symbols of the libraries it is linked to
    except (ImportError, OSError):
        return None
    for form in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
        try:
            get, put, name = (
                getattr(found, form.format(f"{what}"))
                for what in ("get_num_threads", "set_num_threads", "get_corename")
            )
        except AttributeError:
            continue
        name.restype = ctypes.c_char_p
        return Library(get, put, name().decode() not in CORES)
    return None


class _OneThread(ContextDecorator):
    """Makes OpenBLAS compute on the calling thread alone, and restores its number of threads at the end.

    It applies to the whole process; if several threads are inside, the last one to leave restores the number.

    >>> with one_thread:
    ...     pass
    """

    def __init__(self) -> None:
        self.lock, self.inside, self.before = RLock(), 0, 1

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside and (blas := library()) is not None:
                self.before = blas.get_num_threads()
                blas.set_num_threads(1)
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            self.set_num_threads(self.before)

    def set_num_threads(self, n: int) -> None:
        """Give OpenBLAS `n` threads, as soon as no thread is inside."""
        with self.lock:
            self.before = n
            if not self.inside and (blas := library()) is not None:
                blas.set_num_threads(n)


one_thread = _OneThread()
