"""The same loading programs in minigrad and in PyTorch 2.13.0: equal batches, and equal use of the random stream."""

import collections
import operator
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data

import minigrad
import minigrad.utils.data
from minigrad.utils import data
from minigrad.utils.data import DataLoader, Dataset, Subset, TensorDataset
from minigrad.utils.data import dataset as dataset_module

SEEDS = [0, 7, 2**40 + 3]
Point = collections.namedtuple("Point", "x label")


def plain(x):
    """Tensors as (dtype, values), the rest as it is, so that both frameworks' results compare."""
    if isinstance(x, (minigrad.Tensor, torch.Tensor)):
        return str(x.dtype).split(".")[-1], tuple(x.shape), x.tolist()
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x).__name__, *map(plain, x)
    if isinstance(x, (list, tuple, map, collections.deque)):
        return type(x).__name__.replace("map", "list"), *map(plain, x)
    return x


def run(fw, program, seed):
    fw.manual_seed(seed)
    result = plain(program(fw))
    return result, fw.rand(3).tolist()  # where the stream is now


def same(program, seed=0):
    with minigrad.random.fork_rng():
        ours, theirs = run(minigrad, program, seed), run(torch, program, seed)
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1], "the default stream is at another place"


def pairs(fw, n=23):
    """n samples: a row of three floats, and an int64 label."""
    x = np.random.default_rng(n).standard_normal((n, 3)).astype(np.float32)
    return fw.utils.data.TensorDataset(fw.from_numpy(x), fw.from_numpy(np.arange(n) % 5))


def own(fw, n=23, make=lambda i: (i / 2, i)):
    """A Dataset subclass as a user writes it."""

    class Own(fw.utils.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, i):
            return make(operator.index(i))

    return Own()


def stream(fw, n=7):
    class Stream(fw.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

        def __len__(self):
            return n

    return Stream()


def epochs(fw, *args, count=3, between=None, **options):
    loader = fw.utils.data.DataLoader(*args, **options)
    result = [len(loader)]
    for _ in range(count):
        for batch in loader:
            result.append(batch)
            if between:
                result.append(between(fw))
    return result


def half_an_epoch(fw):
    """An epoch is left early, one starts late, and two interleave."""
    loader = fw.utils.data.DataLoader(pairs(fw), batch_size=5, shuffle=True)
    early = next(iter(loader))
    late = iter(loader)
    fw.rand(2)
    return [early, next(late), *map(list, zip(loader, loader, strict=True)), next(late)]


def shared_generator(fw, **options):
    """The generator is drawn from between batches, so it matters when the sampler draws."""
    generator = fw.Generator().manual_seed(5)
    loader = fw.utils.data.DataLoader(pairs(fw), batch_size=4, generator=generator, **options)
    result = []
    for _ in range(2):
        for batch in loader:
            result += [batch, fw.rand(1, generator=generator)]
    return result


def with_sampler(make):
    return lambda fw: epochs(fw, pairs(fw), batch_size=4, sampler=make(fw, fw.utils.data))


PROGRAMS = {
    "in order": lambda fw: epochs(fw, pairs(fw), batch_size=5),
    "one by one": lambda fw: epochs(fw, pairs(fw, 6)),
    "shuffled": lambda fw: epochs(fw, pairs(fw), batch_size=5, shuffle=True),
    "shuffled, full batches only": lambda fw: epochs(fw, pairs(fw), batch_size=5, shuffle=True, drop_last=True),
    "a batch larger than the dataset": lambda fw: epochs(fw, pairs(fw), batch_size=50, shuffle=True),
    "which leaves none": lambda fw: epochs(fw, pairs(fw), batch_size=50, drop_last=True),
    "no batches": lambda fw: epochs(fw, pairs(fw), batch_size=None, shuffle=True),
    "batches by the sampler": lambda fw: epochs(
        fw, pairs(fw), batch_size=None, sampler=fw.utils.data.BatchSampler(range(23), 5, True)
    ),
    "many samples": lambda fw: epochs(fw, pairs(fw, 70_001), batch_size=1000, shuffle=True, count=1),
    "a generator": lambda fw: shared_generator(fw, shuffle=True),
    "a generator, full batches only": lambda fw: shared_generator(fw, shuffle=True, drop_last=True),
    "a generator, in order": lambda fw: shared_generator(fw),
    "draws between the batches": lambda fw: epochs(
        fw, pairs(fw), batch_size=5, shuffle=True, between=lambda fw: fw.rand(2)
    ),
    "half an epoch": half_an_epoch,
    "own dataset": lambda fw: epochs(fw, own(fw), batch_size=4, shuffle=True),
    "own dataset of arrays": lambda fw: epochs(
        fw, own(fw, make=lambda i: {"x": np.full((2, 2), i, np.float32), "name": str(i)}), batch_size=4, shuffle=True
    ),
    "own dataset with a random transform": lambda fw: epochs(
        fw, own(fw, make=lambda i: fw.randn(2) + i), batch_size=4, shuffle=True
    ),
    "own dataset without batches": lambda fw: epochs(
        fw, own(fw, make=lambda i: (np.ones(2) * i, str(i), i)), batch_size=None
    ),
    "a list": lambda fw: epochs(fw, [1.5, 2.5, 3.5], batch_size=2),
    "keys": lambda fw: epochs(fw, {"a": 1, "b": 2}, sampler=["b", "a"]),
    "collate_fn": lambda fw: epochs(fw, pairs(fw), batch_size=4, shuffle=True, collate_fn=lambda s: [len(s), s[0][1]]),
    "collate_fn without batches": lambda fw: epochs(fw, pairs(fw), batch_size=None, collate_fn=lambda s: s[1]),
    "random order": with_sampler(lambda fw, d: d.RandomSampler(range(23))),
    "some at random": with_sampler(lambda fw, d: d.RandomSampler(range(23), num_samples=10)),
    "more than all at random": with_sampler(lambda fw, d: d.RandomSampler(range(23), num_samples=50)),
    "with replacement": with_sampler(lambda fw, d: d.RandomSampler(range(23), True)),
    "many with replacement": with_sampler(lambda fw, d: d.RandomSampler(range(23), True, 100)),
    "with replacement from the default stream": lambda fw: epochs(
        fw,
        pairs(fw),
        batch_size=4,
        sampler=fw.utils.data.RandomSampler(range(23), True, 70, fw.default_generator),
        between=lambda fw: fw.rand(1),
    ),
    "weighted": with_sampler(lambda fw, d: d.WeightedRandomSampler(np.arange(23) / 7, 40)),
    "weighted by a tensor": with_sampler(lambda fw, d: d.WeightedRandomSampler(fw.arange(23), 5)),
    "weighted, no replacement": with_sampler(lambda fw, d: d.WeightedRandomSampler(list(range(1, 24)), 20, False)),
    "weighted, with a generator": with_sampler(
        lambda fw, d: d.WeightedRandomSampler([1, 2, 3], 9, True, fw.Generator().manual_seed(3))
    ),
    "subset, random order": with_sampler(lambda fw, d: d.SubsetRandomSampler([3, 1, 4, 1, 5, 9, 2, 6])),
    "subset by a tensor": with_sampler(lambda fw, d: d.SubsetRandomSampler(fw.arange(5) * 2)),
    "any iterable": with_sampler(lambda fw, d: (3, 1, -2)),
    "batch sampler": lambda fw: epochs(
        fw, pairs(fw), batch_sampler=fw.utils.data.BatchSampler(fw.utils.data.RandomSampler(range(9)), 4, False)
    ),
    "batches by hand": lambda fw: epochs(fw, pairs(fw), batch_sampler=[[1, 2], [3], [0, 0, -1]]),
    "subset": lambda fw: epochs(fw, fw.utils.data.Subset(pairs(fw), [4, 2, 0, 7]), batch_size=3, shuffle=True),
    "subset by array": lambda fw: epochs(fw, fw.utils.data.Subset(pairs(fw), np.arange(3)), batch_size=2),
    "subset of a subset": lambda fw: epochs(
        fw, fw.utils.data.Subset(fw.utils.data.Subset(pairs(fw), [4, 2, 0, 7]), [3, 3, 1]), batch_size=2
    ),
    "subset of an own dataset": lambda fw: epochs(fw, fw.utils.data.Subset(own(fw), [4, 2, 0, 7]), batch_size=3),
    "joined": lambda fw: epochs(fw, pairs(fw, 5) + pairs(fw, 8), batch_size=4, shuffle=True),
    "split": lambda fw: [
        epochs(fw, part, batch_size=3, shuffle=True) for part in fw.utils.data.random_split(pairs(fw), [12, 4, 7])
    ],
    "split by fractions": lambda fw: [
        list(part) for part in fw.utils.data.random_split(range(100), [0.335, 0.335, 0.33])
    ],
    "split with a generator": lambda fw: [
        list(part) for part in fw.utils.data.random_split(range(10), [3, 7], fw.Generator().manual_seed(42))
    ],
    "stream": lambda fw: epochs(fw, stream(fw), batch_size=3),
    "stream, full batches only": lambda fw: epochs(fw, stream(fw), batch_size=3, drop_last=True),
    "stream without batches": lambda fw: epochs(fw, stream(fw), batch_size=None),
    "two streams": lambda fw: epochs(fw, stream(fw) + stream(fw, 4), batch_size=3),
    "rows that require a gradient": lambda fw: epochs(
        fw, fw.utils.data.TensorDataset(fw.arange(6.0).requires_grad_()), batch_size=4
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_batches_as_torch(name):
    for seed in SEEDS:
        same(PROGRAMS[name], seed)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("persistent", [False, True])
def test_worker_seeds_are_drawn_as_torch_draws_them(persistent):
    """With torch's workers the sampler starts before the first batch, and workers that stay are seeded only once."""

    def program(fw):
        loader = fw.utils.data.DataLoader(
            pairs(fw), batch_size=9, shuffle=True, num_workers=1, persistent_workers=persistent
        )
        result = []
        for _ in range(2):
            batches = iter(loader)
            result += [fw.rand(1), *list(batches)]
        return result

    same(program)


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2],
        [1, 2.5],
        [1.5, 2],
        [True, False],
        ["a", "b"],
        [b"a", b"b"],
        [np.float64(1), np.float64(2)],
        [np.float32(1)],
        [np.int32(3), np.int32(4)],
        [np.bool_(True)],
        [np.ones((2, 3)), np.zeros((2, 3))],
        [np.array(3), np.array(4)],
        [np.ones(2, np.uint8)],
        [np.ones(2), np.ones(2, np.float32)],
        [(1, 2.0, "a"), (3, 4.0, "b")],
        [[1, 2], [3, 4]],
        [((1, 2), [3]), ((4, 5), [6])],
        [{"a": 1, "b": (2.0, "x")}, {"a": 3, "b": (4.0, "y")}],
        [Point(1.0, 2), Point(3.0, 4)],
        [range(2), range(2)],
        [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
        [(), ()],
    ],
    ids=repr,
)
def test_collate(batch):
    same(lambda fw: fw.utils.data.default_collate(batch))
    same(lambda fw: [fw.utils.data.default_convert(sample) for sample in batch])


def test_collate_tensors():
    same(lambda fw: fw.utils.data.default_collate([(fw.ones(2, 3), fw.tensor(1)), (fw.zeros(2, 3), fw.tensor(2))]))


def test_collate_keeps_what_a_mapping_has_besides_its_entries():
    batch = [collections.defaultdict(list, a=1), collections.defaultdict(list, a=2)]
    collated = data.default_collate(batch)
    assert collated["a"].tolist() == [1, 2]
    assert collated["missing"] == []
    assert batch[0]["a"] == 1


def test_collated_tensors_lead_the_gradient_back():
    x = minigrad.ones(4, 2, requires_grad=True)
    (batch,) = next(iter(DataLoader(TensorDataset(x), batch_size=3)))
    (batch * 2).sum().backward()
    assert x.grad.tolist() == [[2, 2]] * 3 + [[0, 0]]


# ---- batches at once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, list(range(20, 0, -1)))], ids=["itself", "subset"])
def test_gathering_and_collating_one_by_one_agree(wrap, monkeypatch):
    with minigrad.random.fork_rng():
        minigrad.manual_seed(1)
        fast = plain(list(DataLoader(wrap(pairs(minigrad)), batch_size=6, shuffle=True)))
        monkeypatch.setattr(dataset_module, "_gathers", lambda dataset: False)
        minigrad.manual_seed(1)
        assert plain(list(DataLoader(wrap(pairs(minigrad)), batch_size=6, shuffle=True))) == fast


def test_tensor_datasets_are_gathered():
    """One by one would ask for the samples."""

    def refuse(self, index):
        raise AssertionError("one by one")

    for batches in (lambda d: DataLoader(d, batch_size=4), lambda d: DataLoader(Subset(d, [1, 2, 3]), batch_size=2)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TensorDataset, "__getitem__", refuse)
            assert len(list(batches(pairs(minigrad)))) > 1


def test_batches_do_not_share_memory_with_the_dataset():
    dataset = pairs(minigrad)
    for x, _ in DataLoader(dataset, batch_size=23):
        x.array[:] = 0
    assert dataset.tensors[0].array.all()


class WithBatch(Dataset):
    """Counts how its samples are asked for."""

    def __init__(self, answer=True):
        self.answer, self.asked = answer, []

    def __len__(self):
        return 6

    def __getitem__(self, i):
        self.asked.append("sample")
        return i, -i

    def __getbatch__(self, indices):
        self.asked.append("batch")
        i = minigrad.tensor(indices)
        return (i, -i) if self.answer else None


class WithItems(WithBatch):
    def __getitems__(self, indices):
        self.asked.append("samples")
        return [(i, -i) for i in indices]


class WithOwnSamples(WithBatch):
    def __getitem__(self, i):
        self.asked.append("own sample")
        return i, -i


class WithOwnBatch(WithItems):
    def __getbatch__(self, indices):
        self.asked.append("own batch")
        return super(WithItems, self).__getbatch__(indices)


@pytest.mark.parametrize("subset", [False, True])
@pytest.mark.parametrize(
    ("dataset", "asked"),
    [
        (WithBatch(), ["batch"]),
        (WithBatch(answer=False), ["batch", "sample", "sample", "sample"]),
        (WithItems(), ["samples"]),
        (WithOwnSamples(), ["own sample"] * 3),
        (WithOwnBatch(), ["own batch", "batch"]),
    ],
    ids=["batch", "none", "items", "own samples", "own batch"],
)
def test_a_batch_is_asked_for_unless_a_subclass_changes_the_samples(dataset, asked, subset):
    dataset.asked.clear()
    batch = next(iter(DataLoader(Subset(dataset, range(6)) if subset else dataset, batch_size=3)))
    assert plain(batch) == ("list", ("int64", (3,), [0, 1, 2]), ("int64", (3,), [0, -1, -2]))
    assert dataset.asked == asked


def test_a_collate_fn_gets_samples():
    dataset = WithBatch()
    assert next(iter(DataLoader(dataset, batch_size=2, collate_fn=list))) == [(0, 0), (1, -1)]
    assert dataset.asked == ["sample", "sample"]


def test_a_subset_that_changes_samples_must_say_so_for_lists():
    def program(fw):
        class Shifted(fw.utils.data.Subset):
            def __getitem__(self, i):
                return super().__getitem__(i) + 1

        with pytest.raises(NotImplementedError, match="__getitems__"):
            Shifted(range(5), [1, 2])

        class Whole(Shifted):
            def __getitems__(self, indices):
                return [self[i] for i in indices]

        return list(fw.utils.data.DataLoader(Whole(range(5), [1, 2]), batch_size=2))

    same(program)


# ---- datasets -------------------------------------------------------------------------------------------------


def test_tensor_dataset():
    same(lambda fw: [len(pairs(fw)), pairs(fw)[3], pairs(fw)[-1], pairs(fw)[1:3], pairs(fw)[[0, 2]]])


def test_subset():
    same(lambda fw: [len(fw.utils.data.Subset(range(9), [4, 5])), list(fw.utils.data.Subset("abcdef", [4, 5]))])
    same(lambda fw: fw.utils.data.Subset(pairs(fw), [4, 5])[[1, 0]])
    same(lambda fw: fw.utils.data.Subset(pairs(fw), [4, 5]).__getitems__([1, 0]))


def test_concat_dataset():
    def program(fw):
        joined = fw.utils.data.ConcatDataset([range(3), range(10, 12), range(20, 24)])
        return [len(joined), joined.cumulative_sizes, [joined[i] for i in range(-9, 9)]]

    same(program)


def test_sums_of_datasets():
    assert isinstance(pairs(minigrad) + pairs(minigrad), data.ConcatDataset)
    chained = stream(minigrad) + stream(minigrad, 2)
    assert isinstance(chained, data.ChainDataset)
    assert (len(chained), list(chained)) == (9, [*range(7), 0, 1])


def test_a_split_can_be_empty():
    with pytest.warns(UserWarning, match="index 1 is empty"):
        parts = data.random_split(range(3), [0.9, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torch.utils.data.random_split(range(3), [0.9, 0.1])
    assert [len(part) for part in parts] == [len(part) for part in theirs] == [3, 0]


def test_lengths_that_are_not_known():
    class Endless(data.IterableDataset):
        def __iter__(self):
            return iter(range(10**9))

    loader = DataLoader(Endless(), batch_size=2)
    assert next(iter(loader)).tolist() == [0, 1]
    with pytest.raises(TypeError, match="Endless"):
        len(loader)
    with pytest.raises(TypeError, match="no len"):
        len(DataLoader(range(3), sampler=iter([1])))


def test_no_worker():
    assert data.get_worker_info() is None


def test_the_loader_says_what_it_was_given():
    def program(fw):
        loader = fw.utils.data.DataLoader(pairs(fw), 4, True, drop_last=True)
        sampler = type(loader.sampler).__name__, type(loader.batch_sampler).__name__, len(loader.sampler)
        return [loader.batch_size, loader.drop_last, loader.num_workers, len(loader.dataset), sampler]

    same(program)


# ---- bad input: torch refuses it with the same type of error ---------------------------------------------------


def loader(*args, **options):
    return lambda fw: list(fw.utils.data.DataLoader(*(a(fw) if callable(a) else a for a in args), **options))


BAD = {
    "batch size 0": (loader(pairs, batch_size=0), "batch_size=0"),
    "negative batch size": (loader(pairs, batch_size=-1), "batch_size=-1"),
    "fractional batch size": (loader(pairs, batch_size=2.5), "batch_size=2.5"),
    "drop_last": (loader(pairs, drop_last=1), "drop_last=1"),
    "shuffle and sampler": (loader(pairs, shuffle=True, sampler=[1]), "sampler .* exclusive with shuffle"),
    "batch sampler and batch size": (loader(pairs, batch_size=3, batch_sampler=[[1]]), "batch_sampler .* exclusive"),
    "batch sampler and shuffle": (loader(pairs, shuffle=True, batch_sampler=[[1]]), "batch_sampler .* exclusive"),
    "drop_last without batches": (loader(pairs, batch_size=None, drop_last=True), "drop_last"),
    "num_workers": (loader(pairs, num_workers=-1), "num_workers"),
    "timeout": (loader(pairs, timeout=-1), "timeout"),
    "prefetch_factor without workers": (loader(pairs, prefetch_factor=2), "prefetch_factor .* num_workers > 0"),
    "negative prefetch_factor": (loader(pairs, num_workers=1, prefetch_factor=-1), "prefetch_factor"),
    "persistent_workers": (loader(pairs, persistent_workers=True), "persistent_workers"),
    "multiprocessing_context": (loader(pairs, multiprocessing_context="fork"), "multiprocessing_context"),
    "nothing to shuffle": (loader([], shuffle=True), "num_samples=0"),
    "index out of range": (loader(pairs, sampler=[23]), "index 23 is out of bounds"),
    "sample out of range": (lambda fw: pairs(fw)[23], "23"),
    "stream, shuffled": (loader(stream, shuffle=True), "expected unspecified shuffle"),
    "stream with sampler": (loader(stream, sampler=[1]), "expected unspecified sampler"),
    "stream with batch sampler": (loader(stream, batch_sampler=[[1]]), "expected unspecified batch_sampler"),
    "set later": (
        lambda fw: setattr(fw.utils.data.DataLoader(pairs(fw)), "batch_size", 3),
        "batch_size attribute should not be set after DataLoader",
    ),
    "sizes of tensors": (
        lambda fw: fw.utils.data.TensorDataset(fw.ones(2, 3), fw.ones(3)),
        r"\[2, 3\], \[3\] differ|Size mismatch",
    ),
    "no tensor": (lambda fw: fw.utils.data.TensorDataset(np.ones(3)), "argument 0 .* ndarray|not callable"),
    "tensor without rows": (lambda fw: fw.utils.data.TensorDataset(fw.tensor(1.0)), "[Dd]imension"),
    "lengths of a split": (
        lambda fw: fw.utils.data.random_split(range(9), [5, 5]),
        "Sum of input lengths does not equal the length of the input dataset",
    ),
    "fractions of a split": (lambda fw: fw.utils.data.random_split(range(9), [0.5, 0.6]), "Sum of input lengths"),
    "a fraction of a split": (lambda fw: fw.utils.data.random_split(range(9), [1.5, -0.5]), "index 0 is not between"),
    "nothing joined": (lambda fw: fw.utils.data.ConcatDataset([]), "empty iterable"),
    "stream joined": (lambda fw: fw.utils.data.ConcatDataset([stream(fw)]), "does not support IterableDataset"),
    "list chained": (lambda fw: list(fw.utils.data.ChainDataset([[1]])), "only supports IterableDataset"),
    "before the first of joined": (lambda fw: fw.utils.data.ConcatDataset([range(3)])[-4], "out of range"),
    "after the last of joined": (lambda fw: fw.utils.data.ConcatDataset([range(3)])[3], "out of range"),
    "no sample": (lambda fw: fw.utils.data.Dataset()[0], "should implement __getitem__"),
    "no length": (lambda fw: len(fw.utils.data.Dataset()), "Dataset"),
    "no stream": (lambda fw: fw.utils.data.IterableDataset(), "__iter__"),
    "no indices": (lambda fw: iter(fw.utils.data.Sampler()), ""),
    "replacement": (lambda fw: fw.utils.data.RandomSampler(range(3), 1), "replacement=1"),
    "no samples": (lambda fw: fw.utils.data.RandomSampler(range(3), num_samples=0), "num_samples=0"),
    "no weighted samples": (lambda fw: fw.utils.data.WeightedRandomSampler([1, 2], 0), "num_samples=0"),
    "shape of weights": (lambda fw: fw.utils.data.WeightedRandomSampler([[1, 2]], 1), r"shape \(1, 2\)"),
    "weighted replacement": (lambda fw: fw.utils.data.WeightedRandomSampler([1, 2], 1, 2), "replacement=2"),
    "too many weighted": (lambda fw: list(fw.utils.data.WeightedRandomSampler([1, 2], 3, False)), "cannot sample"),
    "shapes to collate": (
        lambda fw: fw.utils.data.default_collate([np.ones(2), np.ones(3)]),
        r"stack expects each tensor to be equal size, but got \[2\] at entry 0 and \[3\] at entry 1",
    ),
    "lengths to collate": (lambda fw: fw.utils.data.default_collate([(1, 2), (1,)]), "equal size"),
    "None to collate": (lambda fw: fw.utils.data.default_collate([None, None]), "NoneType"),
    "strings in an array": (lambda fw: fw.utils.data.default_collate([np.array(["a"])]), "<U1"),
    "string among numbers": (lambda fw: fw.utils.data.default_collate([1, "a"]), ""),
    "number among tensors": (lambda fw: fw.utils.data.default_collate([fw.ones(2), 1]), "expected Tensor"),
    "key": (lambda fw: fw.utils.data.default_collate([{"a": 1}, {"b": 1}]), "a"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    program, message = BAD[name]
    with minigrad.random.fork_rng():
        with pytest.raises(Exception, match=message or None) as ours:
            program(minigrad)
        with pytest.raises(ours.type):
            program(torch)


LOADED = {
    "positions": lambda data: data.StackDataset(range(4), "abcd"),
    "names": lambda data: data.StackDataset(x=range(4), y="abcd"),
    "nested": lambda data: data.StackDataset(data.Subset(range(9), [8, 6, 4, 2]), "abcd"),
    "lengths that differ": lambda data: data.StackDataset(range(4), "abc"),
    "both": lambda data: data.StackDataset(range(4), y="abcd"),
    "none": lambda data: data.StackDataset(),
}


@pytest.mark.parametrize("name", LOADED)
def test_datasets_side_by_side(name, torch_too):
    def program(fw):
        dataset = LOADED[name](fw.utils.data)
        return len(dataset), dataset[2], list(fw.utils.data.DataLoader(dataset, batch_size=3))

    torch_too(program)


@pytest.mark.parametrize("indices", [[slice(0, 2), slice(2, 4)], [[0, 1], [2, 3]], [True, False], [3, -1]])
def test_indices_that_are_no_numbers(indices, torch_too):
    def program(fw):
        dataset = fw.utils.data.TensorDataset(fw.arange(8).reshape(4, 2))
        return list(fw.utils.data.DataLoader(dataset, batch_size=2, sampler=indices))

    torch_too(program)


@pytest.mark.parametrize("options", [{"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}])
def test_a_running_loader_has_a_length(options, torch_too):
    torch_too(lambda fw: len(iter(fw.utils.data.DataLoader(range(5), **options))))
