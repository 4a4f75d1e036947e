"""Layers that are one function with stored options, and subclasses of them that users write."""

import pytest

LAYERS = {
    "a loss": (lambda nn: nn.CrossEntropyLoss, {"label_smoothing": 0.1}),
    "a pooling": (lambda nn: nn.MaxPool2d, {"kernel_size": 2}),
    "an activation": (lambda nn: nn.ELU, {"alpha": 0.5}),
    "a dropout": (lambda nn: nn.Dropout, {"p": 0.25}),
}


@pytest.mark.parametrize("of", LAYERS)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_annotations_in_a_subclass_are_no_options(of, future, torch_too):
    layer, options = LAYERS[of]
    text = future + "class Own(base):\n    scale: float = 2.0\n    size: int\n"

    def program(fw):
        names = {"base": layer(fw.nn), "__name__": "user"}
        exec(text, names)
        own = names["Own"](**options)
        return own.scale, "size" in vars(own), [getattr(own, name) for name in options], names["Own"].scale

    torch_too(program)
