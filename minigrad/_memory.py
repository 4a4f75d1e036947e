"""Freed memory stays with the process, for the next arrays of its size.

By default glibc hands every large block straight back to the system and asks anew for the next one, so that each
training step touches its arrays' pages for the first time: a thousand page faults a step in a small LSTM, nearly half
of its time. Once a block of the largest size that it adapts to has been freed, it keeps blocks up to that size
(https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD). The block's own pages are never touched, and
cost nothing. Elsewhere this does nothing.
"""

from __future__ import annotations

import numpy as np

LARGEST = 31 * 2**20  #: bytes; from 32 MiB on glibc does not adapt


def keep_freed() -> None:
    """Let the allocator keep freed blocks up to `LARGEST` bytes."""
    np.empty(LARGEST, dtype=np.uint8)
