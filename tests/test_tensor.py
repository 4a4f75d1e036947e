"""What a tensor is and how it converts, each program run in minigrad and in torch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import minigrad

PROGRAMS = {
    "ints are int64": lambda fw: fw.tensor([1, 2]).dtype,
    "floats are float32": lambda fw: fw.tensor([1.0, 2]).dtype,
    "bools": lambda fw: fw.tensor([True]).dtype,
    "numpy keeps float64": lambda fw: fw.tensor(np.ones(2)).dtype,
    "int / int": lambda fw: (fw.tensor([1]) / fw.tensor([2])).dtype,
    "int + float number": lambda fw: (fw.tensor([1]) + 1.5).dtype,
    "uint8 + number": lambda fw: (fw.tensor([1], dtype=fw.uint8) + 1).dtype,
    "float32 + 0-d float64": lambda fw: (fw.ones(2) + fw.tensor(1.0, dtype=fw.float64)).dtype,
    "0-d float32 + float64": lambda fw: (fw.tensor(1.0) + fw.ones(2, dtype=fw.float64)).dtype,
    "float32 + float64": lambda fw: (fw.ones(2) + fw.ones(2, dtype=fw.float64)).dtype,
    "int64 + float32": lambda fw: (fw.tensor([1]) + fw.ones(1)).dtype,
    "int32 + 0-d int64": lambda fw: (fw.tensor([1], dtype=fw.int32) + fw.tensor(1)).dtype,
    "bool + bool": lambda fw: (fw.tensor([True]) + fw.tensor([True])).dtype,
    "sum of int32": lambda fw: fw.tensor([1], dtype=fw.int32).sum().dtype,
    "sum of bool": lambda fw: fw.tensor([True, True]).sum(),
    "float64 number": lambda fw: (fw.ones(1) * np.float64(2.0)).dtype,
    "exp of ints": lambda fw: fw.exp(fw.tensor([0, 0])),
    "2 - x": lambda fw: 2 - fw.tensor([1.0, 3.0]),
    "2 / x": lambda fw: 2 / fw.tensor([1.0, 4.0]),
    "2 ** x": lambda fw: 2 ** fw.tensor([1.0, 3.0]),
    "x % 3": lambda fw: fw.tensor([-1, 4]) % 3,
    "x // 2": lambda fw: fw.tensor([-1, 4]) // 2,
    "~x": lambda fw: ~fw.tensor([True, False]),
    "x & y": lambda fw: fw.tensor([True, False]) & fw.tensor([True, True]),
    "len": lambda fw: len(fw.zeros(3, 2)),
    "iteration": lambda fw: [row.tolist() for row in fw.arange(4).reshape(2, 2)],
    "unpacking max": lambda fw: [part.tolist() for part in fw.max(fw.tensor([[1.0, 3.0], [5.0, 4.0]]), 1)],
    "max of two": lambda fw: fw.max(fw.tensor([1.0, 5.0]), fw.tensor([3.0, 2.0])),
    "float()": lambda fw: float(fw.tensor([2.5])),
    "int()": lambda fw: int(fw.tensor(2.7)),
    "bool()": lambda fw: bool(fw.tensor([0.0])),
    "format": lambda fw: f"{fw.tensor(2.71828):.3f}",
    "index a list": lambda fw: [10, 20, 30][fw.tensor(1)],
    "in": lambda fw: 3 in fw.tensor([1, 3]),
    "item": lambda fw: fw.tensor([[7]]).item(),
    "asarray": lambda fw: np.asarray(fw.ones(2)).tolist(),
    "T": lambda fw: fw.arange(6).reshape(2, 3).T,
    "negative index": lambda fw: fw.arange(5)[-1],
    "None and ellipsis": lambda fw: fw.zeros(2, 3)[..., None].shape,
    "mask": lambda fw: fw.arange(5)[fw.arange(5) > 2],
    "list index": lambda fw: fw.arange(5)[[0, 3]],
    "an index tensor for each dimension": lambda fw: fw.arange(24).reshape(2, 3, 4)[
        fw.tensor([[0], [-1]]), fw.tensor([2, -3]), fw.tensor(1)
    ],
    "two index tensors": lambda fw: fw.arange(9).reshape(3, 3)[fw.tensor([0, 2]), fw.tensor([1, 1])],
    "write through a view": lambda fw: [x := fw.zeros(2, 3), x[0].fill_(5), x][-1],
    "write a row": lambda fw: [x := fw.zeros(2, 3), x.__setitem__(1, fw.tensor([1.0, 2.0, 3.0])), x][-1],
    "write by mask": lambda fw: [x := fw.arange(4), x.__setitem__(x > 1, 0), x][-1],
    "detach shares": lambda fw: [x := fw.ones(2), x.detach().zero_(), x][-1],
    "clone does not": lambda fw: [x := fw.ones(2), x.clone().zero_(), x][-1],
    "data": lambda fw: [x := fw.ones(2, requires_grad=True), x.data.mul_(3), x.detach()][-1],
    "w -= lr * g": lambda fw: sgd(fw),
    "new_tensor": lambda fw: fw.ones(2, dtype=fw.float64).new_zeros(3).dtype,
    "type": lambda fw: fw.ones(2).type(fw.int64).dtype,
    "to": lambda fw: fw.ones(2).to("cpu").to(fw.float64).dtype,
    "arange": lambda fw: fw.arange(1, 2, 0.25),
    "linspace": lambda fw: fw.linspace(-1, 1, 7),
    "full": lambda fw: fw.full((2, 2), 7),
    "eye": lambda fw: fw.eye(2, 3),
    "split": lambda fw: [part.tolist() for part in fw.arange(7).split(3)],
    "chunk": lambda fw: [part.tolist() for part in fw.arange(7).chunk(3)],
    "einsum": lambda fw: fw.einsum("ij,jk->ki", fw.arange(4.0).reshape(2, 2), fw.ones(2, 2)),
    "stride": lambda fw: fw.zeros(2, 3).t().stride(),
    "size": lambda fw: [*fw.zeros(2, 3).size(), fw.zeros(2, 3).size(1), fw.zeros(2, 3).numel()],
    "contiguous": lambda fw: fw.zeros(2, 3).t().contiguous().is_contiguous(),
    "median": lambda fw: fw.tensor([4.0, 1.0, 3.0, 2.0]).median(),
    "equal elements": lambda fw: (fw.ones(2) == fw.ones(2)).all(),
    "legacy constructor": lambda fw: fw.Tensor([1, 2]).dtype,
}


def sgd(fw):
    w = fw.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with fw.no_grad():
        w -= 0.1 * w.grad
    return w.detach()


def plain(x):
    if isinstance(x, (minigrad.Tensor, torch.Tensor)):
        return plain(x.dtype), x.tolist()
    if isinstance(x, (minigrad.dtype, torch.dtype)):
        return str(x).split(".")[1]
    return tuple(x) if isinstance(x, (minigrad.Size, torch.Size)) else x


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name):
    assert plain(PROGRAMS[name](minigrad)) == plain(PROGRAMS[name](torch))


FAILURES = {
    "add": (lambda fw: fw.ones(3) + fw.ones(4), "size of tensor a .3. must match the size of tensor b .4."),
    "matmul": (lambda fw: fw.ones(2, 5) @ fw.ones(3, 4), "2x5 and 3x4"),
    "matmul dtype": (lambda fw: fw.ones(2, 2) @ fw.ones(2, 2, dtype=fw.float64), "same dtype"),
    "view": (lambda fw: fw.ones(6).view(4), r"shape '\[4\]' is invalid for input of size 6"),
    "view of a transpose": (lambda fw: fw.ones(2, 3).t().view(6), r"Use .reshape\(...\) instead"),
    "cat": (lambda fw: fw.cat([fw.ones(2, 3), fw.ones(2, 4)]), "Sizes of tensors must match except in dimension 0"),
    "stack": (lambda fw: fw.stack([fw.ones(2), fw.ones(3)]), "each tensor to be equal size"),
    "squeeze": (lambda fw: fw.ones(2).unsqueeze(5), "Dimension out of range"),
    "sum": (lambda fw: fw.ones(2).sum(3), "Dimension out of range"),
    "index": (lambda fw: fw.ones(2)[5], "out of bounds|index 5"),
    "too many indices": (lambda fw: fw.ones(2)[0, 0], "too many indices"),
    "two index tensors, one too large": (lambda fw: fw.ones(2, 2)[fw.tensor([0]), fw.tensor([2])], "index 2"),
    "two index tensors that do not fit": (
        lambda fw: fw.ones(2, 2)[fw.tensor([0, 1]), fw.tensor([0, 1, 1])],
        "shape mismatch",
    ),
    "index of 0-d": (lambda fw: fw.tensor(1.0)[0], "0-dim tensor"),
    "gather": (lambda fw: fw.ones(2, 2).gather(1, fw.tensor([[5]])), "index 5 is out of bounds"),
    "item": (lambda fw: fw.ones(2).item(), "2 elements cannot be converted to Scalar"),
    "bool": (lambda fw: bool(fw.ones(2)), "more than one value is ambiguous"),
    "len": (lambda fw: len(fw.tensor(1)), "0-d tensor"),
    "mean of ints": (lambda fw: fw.tensor([1]).mean(), "floating point"),
    "expand": (lambda fw: fw.ones(2).expand(3), r"expanded size of the tensor \(3\)"),
    "write to an expanded tensor": (lambda fw: fw.ones(1).expand(3).add_(1), "single memory location"),
    "write floats into ints": (lambda fw: fw.tensor([1]).add_(1.5), "can't be cast to the desired output type"),
    "write a larger result": (lambda fw: fw.ones(1).add_(fw.ones(3)), "doesn't match the broadcast shape"),
    "ragged lists": (lambda fw: fw.tensor([[1.0], [1.0, 2.0]]), "expected sequence of length|not of equal length"),
    "text": (lambda fw: fw.tensor("abc"), "."),
    "grad of another shape": (
        lambda fw: setattr(fw.ones(2, requires_grad=True), "grad", fw.ones(3)),
        "gradient of size",
    ),
    "mask - mask": (lambda fw: fw.tensor([True]) - fw.tensor([True]), "bool tensors? is not supported"),
    "negative power": (lambda fw: fw.tensor([2]) ** -1, "negative integer powers"),
    "permute": (lambda fw: fw.ones(2, 3).permute(0, 0), "duplicate dims"),
    "where": (lambda fw: fw.where(fw.ones(2), 1.0, 0.0), "bool"),
    "split": (lambda fw: fw.ones(5).split([2, 2]), "sum exactly to 5"),
    "topk": (lambda fw: fw.ones(3).topk(5), "out of range"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_fails_like_torch(name):
    program, message = FAILURES[name]
    with pytest.raises(Exception, match=message) as theirs:
        program(torch)
    with pytest.raises(Exception, match=message) as ours:
        program(minigrad)
    assert ours.type is theirs.type


PRINTED = {
    "zeros": lambda fw: fw.zeros(2, 3),
    "whole floats": lambda fw: fw.tensor([1.0, 20.0, -300.0]),
    "floats": lambda fw: fw.tensor([1.5, -0.25]),
    "small": lambda fw: fw.tensor([1e-5, 1.0]),
    "large": lambda fw: fw.tensor([1e10, 1.0]),
    "nan and inf": lambda fw: fw.tensor([float("nan"), 1.0, 2.5, float("-inf")]),
    "only inf": lambda fw: fw.tensor([0.0, float("-inf")]),
    "ints": lambda fw: fw.tensor([[1, -20], [300, 4]]),
    "bools": lambda fw: fw.tensor([True, False]),
    "number": lambda fw: fw.tensor(3.14159),
    "int number": lambda fw: fw.tensor(3),
    "empty": lambda fw: fw.zeros(0),
    "empty with size": lambda fw: fw.zeros(0, 3),
    "float64": lambda fw: fw.ones(2, dtype=fw.float64),
    "int32": lambda fw: fw.ones(2, dtype=fw.int32),
    "requires grad": lambda fw: fw.ones(2, requires_grad=True),
    "grad_fn": lambda fw: fw.ones(2, requires_grad=True) + 1,
    "three dimensions": lambda fw: fw.arange(12.0).reshape(2, 3, 2) / 7,
    "a long row": lambda fw: fw.arange(50),
    "a large matrix": lambda fw: fw.arange(10_000.0).reshape(100, 100) / 3,
    "a large vector": lambda fw: fw.arange(2000),
    "long with a note": lambda fw: fw.arange(18.0).reshape(2, 9).double().requires_grad_() * 1.5,
}


@pytest.mark.parametrize("name", PRINTED)
def test_prints_like_torch(name):
    program = PRINTED[name]
    assert repr(program(minigrad)) == repr(program(torch)).replace("torch.", "minigrad.")


def test_narrow_integers_name_places_in_a_long_dimension():
    x = minigrad.arange(600).reshape(300, 2)
    narrow = [minigrad.tensor(places, dtype=minigrad.int8) for places in ([5, -1], [1, 0])]
    assert x[narrow[0], narrow[1]].tolist() == [11, 598]


def test_products_of_infinity_are_nan_without_a_warning():
    x = minigrad.full((2, 2), float("inf"))
    assert (x @ minigrad.zeros(2, 2)).isnan().all()


def test_copies_and_pickles(torch_too):
    def program(fw):
        x = fw.tensor([1.0, 2.0], requires_grad=True)
        (x * 2).sum().backward()
        x.note = [3]
        twins = [copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x)), pickle.loads(pickle.dumps(x * 1))]
        p = fw.nn.Parameter(fw.ones(2))
        p.sum().backward()
        twins += [copy.deepcopy(p), pickle.loads(pickle.dumps(p))]
        seen = [(t.requires_grad, t.is_leaf, t.grad, getattr(t, "note", None)) for t in twins]
        for twin in twins[::2]:
            twin.detach().zero_()
        return seen, twins, x, p

    torch_too(program)
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(minigrad.ones(1, requires_grad=True) * 2)


def test_copies_of_views_share_memory(torch_too):
    def program(fw):
        x = fw.arange(12.0).reshape(3, 4)
        parts = x, x[1], x.t()[1:], x[:, 1:3], x.view(-1)[5]
        twins = copy.deepcopy(parts)
        twins[1].fill_(-1)
        twins[4].fill_(9)
        single = [pickle.loads(pickle.dumps(part)) for part in parts]
        return twins, x, single, [part.stride() for part in twins]

    torch_too(program)


def test_a_hook_is_not_pickled(torch_too):
    def program(fw):
        layer = fw.nn.Linear(2, 2)
        layer.weight.register_hook(hook)
        twin = pickle.loads(pickle.dumps(layer))
        twin(fw.ones(1, 2)).sum().backward()
        return twin.weight.grad

    torch_too(program)


def hook(g):
    return g * 2


def test_from_numpy_shares_memory():
    a = np.zeros(3)
    minigrad.from_numpy(a).add_(1)
    assert a.tolist() == [1, 1, 1]
    with pytest.raises(TypeError, match=r"expected np.ndarray"):
        minigrad.from_numpy([1, 2])


def test_numpy_functions_and_operators_take_tensors():
    assert np.exp(minigrad.zeros(2)).tolist() == [1, 1]
    product = np.full(2, 3.0, np.float32) * minigrad.ones(2)
    assert isinstance(product, minigrad.Tensor)
    assert product.tolist() == [3, 3]


def test_only_the_cpu():
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.ones(2).to("cuda")
    with pytest.raises(RuntimeError, match="CPU only"):
        minigrad.ones(2, device="cuda")
    assert minigrad.ones(2).device == minigrad.device("cpu")


def test_a_copied_array_keeps_its_order_in_memory(torch_too):
    def program(fw):
        x = fw.tensor(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
        x.reshape(-1).zero_()
        return x, x.stride()

    torch_too(program)
