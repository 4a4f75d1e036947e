"""hw3 5: an MLP, a 1-D CNN, an LSTM and a GRU on series of 50 steps of 8 features, each where it is strong and weak.

For comparison also a CNN with a receptive field of nearly the whole series, and a recurrent layer without gates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from experiments.data import Samples, split
from experiments.registry import Experiment
from experiments.runner.checkpoint import as_array
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.sequence_models.data import DATA, FEATURES, GAP, MARGIN, STEPS, TASKS
from experiments.training.classification import SEARCH, measures
from experiments.training.trainer import Trainer, batches, logits

FAMILIES = ("MLP", "CNN", "dilated CNN", "RNN", "LSTM", "GRU")
RESULTS, DISTANCES, INFLUENCE, SATURATION, PARAMETERS = "results", "distances", "influence", "saturation", "parameters"


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    hidden: int = 32  #: neurons of the MLP, channels of the CNNs, length of the recurrent layers' state
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 3, 7)  #: of the dilated CNN's layers; the plain one has two, each 1
    learning_rates: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03)  #: of Adam; each falls to zero along a cosine
    epochs: int = 12
    batch_size: int = 50
    seeds: int = 4  #: each with weights and training samples of its own
    validation: float = 1 / 9  #: the last so many of the training samples: 1,000 of 9,000 of each task
    small: int = 10  #: the small training sets have so many times fewer samples, and are read so many times an epoch

    def field(self, family: str) -> int:
        """How many steps a CNN's neuron sees."""
        dilations = self.dilations if family == "dilated CNN" else (1, 1)
        return 1 + (self.kernel - 1) * sum(dilations)


@dataclass(frozen=True)
class Contest:
    """One training: task, family of networks, number of samples, learning rate and seed."""

    task: str
    family: str
    samples: int
    rate: float
    seed: int

    @property
    def stage(self) -> str:
        """What it is called."""
        return f"{self.task} {self.family} {self.samples} rate {self.rate:g} seed {self.seed}"


def network(fw: Any, family: str, settings: Settings) -> Any:
    """A network of that family: inputs (N, 400), which are (N, 50, 8) in a row, to scores (N, 2)."""
    nn, hidden = fw.nn, settings.hidden

    class Convolutional(nn.Module):  # type: ignore[misc, name-defined]
        """Convolutions over time, then the maximum of each channel over time."""

        def __init__(self, dilations: tuple[int, ...]) -> None:
            super().__init__()
            layers, channels = [], FEATURES
            for dilation in dilations:
                layers += [nn.Conv1d(channels, hidden, settings.kernel, dilation=dilation), nn.ReLU()]
                channels = hidden
            self.features = nn.Sequential(*layers)
            self.output = nn.Linear(hidden, 2)

        def forward(self, x: Any) -> Any:
            return self.output(self.features(x.reshape(-1, STEPS, FEATURES).transpose(1, 2)).amax(2))

    class Recurrent(nn.Module):  # type: ignore[misc, name-defined]
        """A recurrent layer over the steps, then a linear layer on its last state."""

        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.memory = layer(FEATURES, hidden, batch_first=True)
            self.output = nn.Linear(hidden, 2)

        def forward(self, x: Any) -> Any:
            _, state = self.memory(x.reshape(-1, STEPS, FEATURES))
            last = state[0] if family == "LSTM" else state  # an LSTM's is the pair (h, c)
            return self.output(last[-1])

    if family == "MLP":
        return nn.Sequential(nn.Linear(STEPS * FEATURES, hidden), nn.ReLU(), nn.Linear(hidden, 2))
    if family.endswith("CNN"):
        return Convolutional(settings.dilations if family == "dilated CNN" else (1, 1))
    return Recurrent(getattr(nn, family))


def of_task(samples: Samples, task: str) -> Samples:
    """The samples of one task, labelled 0 and 1."""
    inputs, labels = samples
    mine = labels // 2 == TASKS.index(task)
    return inputs[mine], labels[mine] % 2


def train(run: Run[Settings]) -> None:
    """A learning rate for each family and task by validation; then every family, task, size and seed; one test."""
    fw, settings = run.fw, run.settings
    tasks = {task: split(of_task(run.training_data, task), settings.validation) for task in TASKS}
    large = min(len(labels) for (_, labels), _ in tasks.values()) // settings.seeds
    sizes = (max(large // settings.small, 1), large)
    combinations = [(task, family) for task in TASKS for family in FAMILIES]
    trainings = (len(settings.learning_rates) - 1) + len(sizes) * settings.seeds
    run.expect(epochs=len(combinations) * trainings * settings.epochs)

    def trainer(contest: Contest) -> Trainer:
        fw.manual_seed(run.seed + contest.seed)
        (inputs, labels), _ = tasks[contest.task]
        mine = slice(contest.seed * large, contest.seed * large + contest.samples)
        repeated = [fw.cat([part[mine]] * (large // contest.samples)) for part in (inputs, labels)]
        model = network(fw, contest.family, settings)
        optimizer = fw.optim.Adam(model.parameters(), lr=contest.rate)
        return Trainer(
            model,
            optimizer,
            batches(fw, *repeated, size=settings.batch_size, shuffle=True),
            lambda model, inputs, labels: fw.nn.functional.cross_entropy(model(inputs), labels),
            fw.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs),
        )

    def fit(contest: Contest) -> Any:
        _, validation = tasks[contest.task]
        measure = partial(measures, fw, validation=validation)
        return run.fit(contest.stage, partial(trainer, contest), settings.epochs, measure)

    search: list[Row] = []
    chosen: dict[tuple[str, str], float] = {}
    for task, family in combinations:
        found = {}
        for rate in settings.learning_rates:
            contest = Contest(task, family, large, rate, 0)
            fit(contest)
            last = run.history(contest.stage)[-1]
            found[rate] = (last["validation_accuracy"], -last["validation_loss"])
            search.append({"task": task, "family": family, "rate": rate, "validation_accuracy": found[rate][0]})
        chosen[task, family] = max(found, key=lambda rate: found[rate])
    run.keep_table(SEARCH, search)
    contests = [
        Contest(task, family, samples, chosen[task, family], seed)
        for task, family in combinations
        for samples in sizes
        for seed in range(settings.seeds)
    ]
    models = {contest: fit(contest) for contest in contests}

    sealed = run.open_test(*(contest.stage for contest in contests))
    tests = {task: of_task(sealed, task) for task in TASKS}
    results: list[Row] = []
    for contest, model in models.items():
        (inputs, labels), _ = tasks[contest.task]
        mine = slice(contest.seed * large, contest.seed * large + contest.samples)
        parts = {"train": (inputs[mine], labels[mine]), "test": tests[contest.task]}
        numbers = measures(fw, model, **parts)
        results.append({**vars(contest), **{name: numbers[name] for name in numbers if "accuracy" in name}})
    run.keep_table(RESULTS, results)
    large_models = {
        f: [m for c, m in models.items() if (c.task, c.family, c.samples) == ("order", f, large)] for f in FAMILIES
    }
    run.keep_table(DISTANCES, distances(fw, large_models, tests["order"]))
    run.keep_table(INFLUENCE, influence(large_models, tests["order"]))
    run.keep_table(SATURATION, saturation(fw, large_models["RNN"], tests["order"]))
    run.keep_table(
        PARAMETERS,
        [
            {"family": family, "parameters": sum(p.numel() for p in network(fw, family, settings).parameters())}
            for family in FAMILIES
        ],
    )
    for task in TASKS:
        for family in FAMILIES:
            rates = [
                r["test_accuracy"] for r in results if (r["task"], r["family"], r["samples"]) == (task, family, large)
            ]
            run.keep(**{f"{task}_{family.replace(' ', '_').lower()}_test_accuracy": sum(rates) / len(rates)})
    run.keep(
        training_samples=large,
        small_training_samples=sizes[0],
        validation_samples=len(tasks["order"][1][1]),
        test_samples=len(tests["order"][1]),
    )


def distances(fw: Any, models: dict[str, list[Any]], test: Samples) -> list[Row]:
    """How many test series of `order` each family classifies correctly, by the distance of the spikes.

    The spikes stand where features 0 and 1 are largest, but for a few series in which the noise is larger.
    """
    inputs, labels = test
    where = inputs.reshape(-1, STEPS, FEATURES)[:, :, :2].abs().argmax(1)
    apart = (where[:, 0] - where[:, 1]).abs()
    rows: list[Row] = []
    for family, trained in models.items():
        right = [logits(fw, model, inputs).argmax(1) == labels for model in trained]
        for distance in range(GAP, STEPS - 2 * MARGIN):
            there = apart == distance
            of = len(trained) * int(there.sum().item())
            if of:
                correct = sum(int((r & there).sum().item()) for r in right)
                rows.append({"family": family, "distance": distance, "correct": correct, "of": of})
    return rows


def influence(models: dict[str, list[Any]], test: Samples) -> list[Row]:
    """Each step's share of the gradient's magnitude: how much the output depends on it."""
    rows: list[Row] = []
    for family, trained in models.items():
        total = 0.0
        for model in trained:
            inputs = test[0][:500].clone().requires_grad_()
            scores = model(inputs)
            (scores[:, 1] - scores[:, 0]).sum().backward()
            size = inputs.grad.abs().reshape(-1, STEPS, FEATURES).mean((0, 2))
            total = total + size / size.sum() / len(trained)
        rows += [{"family": family, "step": t, "share": total[t].item()} for t in range(STEPS)]  # type: ignore[index]
    return rows


def saturation(fw: Any, models: list[Any], test: Samples) -> list[Row]:
    """What a gradient meets on its way back through each recurrent layer without gates.

    The slope of tanh, 1 − h², at the first step and over the second half of the steps; the largest eigenvalue of the
    recurrent matrix; and the share of the gradient's magnitude that the first step has in the end.
    """
    rows: list[Row] = []
    for seed, model in enumerate(models):
        with fw.no_grad():
            states, _ = model.memory(test[0][:500].reshape(-1, STEPS, FEATURES))
        slopes = 1 - as_array(states) ** 2
        radius = np.abs(np.linalg.eigvals(as_array(model.memory.weight_hh_l0))).max()
        share = influence({"RNN": [model]}, test)[0]["share"]
        slope = {"first_slope": float(slopes[:, 0].mean()), "later_slope": float(slopes[:, STEPS // 2 :].mean())}
        rows.append({"seed": seed, "share": share, **slope, "radius": float(radius)})
    return rows


EXPERIMENT = Experiment(
    name="sequence_models",
    assignment="hw3 5",
    trains="MLP, 1-D CNN, LSTM and GRU on 50×8 series: a shifted motif, the order of two events, a trend",
    settings=Settings,
    train=train,
    headline=("motif_cnn_test_accuracy", "order_lstm_test_accuracy", "trend_mlp_test_accuracy"),
    data=DATA.name,
)
