"""Threads inside large operations.

NumPy lets other threads run while it computes, so an operation on many images can give each thread some of them.
Where its work holds matrix products, those stay on one thread from then on: the threads of a product wait for the
next one in a loop that keeps their cores busy (for 26 ms in OpenBLAS), which are needed here.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from minigrad import blas
from minigrad.blas import products_on
from minigrad.engine import Array

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")

BLOCK = 1 << 21  # bytes; a thread should not come back for the next one too often: they wait for each other then


def get_num_threads() -> int:
    """How many threads a large operation uses: by default one for each core, or ``OMP_NUM_THREADS``.

    >>> import minigrad
    >>> minigrad.get_num_threads() >= 1
    True
    """
    return _state.count or _default()


def set_num_threads(n: int) -> None:
    """Let large operations, matrix products among them, use `n` threads.

    With another number, matrix products may round otherwise (by 2e-6 of the largest element in float32, or less); all
    else gives the same bits.

    Raises:
        RuntimeError: if `n` is not positive.
        TypeError: if `n` is no integer.
    """
    if not isinstance(n, int) or isinstance(n, bool):
        raise TypeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    _state.count = n
    _state.shut()
    products_on(n)


def share(work: Callable[[Sequence[T]], None], items: Sequence[T], products: bool = False, later: bool = True) -> None:
    """``work(items)``, by several threads at once: each gets some neighbouring items.

    What `work` does with an item must not depend on the other items; it must not start operations itself.
    An exception in any thread is raised here, after all have ended.

    Args:
        work: what is to be done.
        items: what to do it with.
        products: whether matrix products are among the work. They stay on one thread each.
        later: whether all later products do so too, until `set_num_threads` is called.
    """
    before = products_on(1) if products and get_num_threads() > 1 else None
    try:
        _share(work, items)
    finally:
        if before is not None and not later:
            products_on(before)


def _share(work: Callable[[Sequence[T]], None], items: Sequence[T]) -> None:
    n = min(get_num_threads(), len(items))
    if n <= 1 or blas.library() is None:
        work(items)
        return
    cuts = [i * len(items) // n for i in range(n + 1)]
    parts = [items[a:b] for a, b in itertools.pairwise(cuts)]
    pool = _state.workers()
    futures: list[Future[None]] = [
        pool.submit(contextvars.copy_context().run, work, part)
        for part in parts[1:]  # NumPy's errstate goes along
    ]
    try:
        work(parts[0])
    finally:
        errors = [future.exception() for future in futures]
    for error in errors:
        if error is not None:
            raise error


def blocks(x: Array) -> list[slice]:
    """Parts of the first axis of `x`, to be shared, of a size that stays in the cache while it is computed with."""
    step = max(BLOCK * len(x) // max(x.nbytes, 1), 1)
    return [slice(i, i + step) for i in range(0, len(x), step)]


def portions(n: int, most: int) -> list[slice]:
    """Parts of `n` rows for `share`, of `most` rows or fewer: one for each thread, or more."""
    step = -(-n // max(-(-n // most), get_num_threads()))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]


@functools.cache
def _default() -> int:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value):
            return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _State:
    """The number of threads, and the pool of those that wait for work."""

    def __init__(self) -> None:
        self.count: int | None = None
        self.forget()

    def forget(self) -> None:
        """In a process just forked there are no threads to wait for."""
        self.pool: ThreadPoolExecutor | None = None
        self.lock = threading.Lock()

    def workers(self) -> ThreadPoolExecutor:
        """The pool, started when first needed."""
        with self.lock:
            if self.pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self.pool = ThreadPoolExecutor(max(get_num_threads() - 1, 1), "minigrad")
            return self.pool

    def shut(self) -> None:
        """Let the pool end; the next one may be of another size."""
        with self.lock:
            pool, self.pool = self.pool, None
        if pool is not None:
            pool.shutdown(wait=False)


_state = _State()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_state.forget)
