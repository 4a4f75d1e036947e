import pytest

import minigrad


@pytest.fixture
def double():
    minigrad.set_default_dtype(minigrad.float64)
    yield
    minigrad.set_default_dtype(minigrad.float32)


@pytest.mark.usefixtures("double")
def test_the_default_dtype_is_that_of_all_new_floats():
    layers = minigrad.nn.Sequential(minigrad.nn.Linear(2, 3), minigrad.nn.BatchNorm1d(3))
    assert {t.dtype for t in layers.state_dict().values()} == {minigrad.float64, minigrad.int64}
    x = minigrad.tensor([1, 2])
    made = [
        minigrad.zeros(2),
        minigrad.randn(2),
        minigrad.tensor(0.5),
        minigrad.tensor([0.5]),
        x / x,
        x.sqrt(),
        x * 0.5,
    ]
    assert [t.dtype for t in made] == [minigrad.float64] * len(made)
    assert minigrad.get_default_dtype() is minigrad.float64


def test_only_floats_can_be_the_default():
    with pytest.raises(
        TypeError, match=r"only floating-point types are supported as the default type, not minigrad\.i"
    ):
        minigrad.set_default_dtype(minigrad.int64)
    assert minigrad.get_default_dtype() is minigrad.float32
