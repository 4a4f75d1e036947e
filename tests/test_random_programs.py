"""Random programs give in minigrad what they give in torch: values, dtypes, gradients, errors."""

import warnings

import pytest
from drawing import examples
from hypothesis import given, settings
from programs import compared, difference, programs


def test_a_random_program_gives_what_it_gives_in_torch():
    finished = []

    @settings(max_examples=examples(300))
    @given(programs())
    def each(lines):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, count = compared(lines)
        finished.append(count == len(lines))
        assert found is None, "\n".join(lines)

    each()
    assert sum(finished) > 0.9 * len(finished), "too many programs end early, where torch refuses to write"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("v1=(v0 if fw.__name__ == 'torch' else v0+1)", "v1"),
        ("v1=v0.to(fw.float64 if fw.__name__ == 'torch' else fw.float32)", "v1"),
        ("v1=(v0 if fw.__name__ == 'torch' else v0.detach())", "v1"),
        ("v1=v0[5 if fw.__name__ == 'torch' else 0]", "torch: IndexError"),
        ("v1=v0[0 if fw.__name__ == 'torch' else 5]", "torch: None"),
        ("(v0*(1 if fw.__name__ == 'torch' else 2)).sum().backward()", "v0.grad"),
        (
            "v0.register_hook(lambda g: seen.append(g) if fw.__name__ == 'torch' else None);v0.sum().backward()",
            "seen[0]",
        ),
    ],
)
def test_a_difference_is_noticed(line, what):
    found = difference(["v0=fw.tensor([1.0,2.0],requires_grad=True)", line])
    assert found is not None
    assert found[1].startswith(what)
