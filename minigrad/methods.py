"""The methods that `minigrad.ops` attaches to `Tensor`; type checkers read ``methods.pyi`` (`make docs` writes it)."""


class Methods:
    """Base class of `Tensor`, for type checkers; it has no methods itself."""

    __slots__ = ()
