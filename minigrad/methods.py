"""The methods that `minigrad.ops` attaches to `Tensor`; type checkers read ``methods.pyi`` (`make docs` writes it)."""


class Methods:
    """What `Tensor` inherits; it holds no method itself."""

    __slots__ = ()
