"""hw3 2 A and 3: the training loop with its blanks filled, and the effect of each of its lines in numbers."""

from __future__ import annotations

import importlib.util
import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

from experiments.data import Samples, split
from experiments.mnist_autoencoder.train import autoencoder
from experiments.registry import Experiment
from experiments.runner.files import Row
from experiments.runner.run import Run
from experiments.training.classification import FINAL, mlp
from experiments.training.seeds import fit_again
from experiments.training.trainer import OnBatch, Trainer, accuracy, batches
from experiments.training_loop import modes
from experiments.training_loop.loop_listing import WIDTHS, listing

AUTOENCODER = "autoencoder"
COMPLETE, NO_BACKWARD, NO_ZERO_GRAD, TOO_EARLY = (
    "complete",
    "without backward()",
    "without zero_grad()",
    "zero_grad() before step()",
)
LOOPS = (COMPLETE, NO_BACKWARD, NO_ZERO_GRAD, TOO_EARLY)

IMPORTS = {  # question: PyTorch's line, ours, the name it is about
    "A": ("from torchvision import datasets", "from minigrad.vision import datasets", "datasets.MNIST"),
    "B": ("from torch.optim import Adam", "from minigrad.optim import Adam", "Adam"),
    "C": ("from torch.utils.data import DataLoader", "from minigrad.utils.data import DataLoader", "DataLoader"),
}


@dataclass(frozen=True)
class Settings:
    """All choices of this experiment."""

    listing_samples: int = 10_000  #: the listing is run on the first so many samples
    hidden: int = 64  #: of the network for the loops with a missing line
    learning_rate: float = 0.1
    batch_size: int = 100
    validation: float = 1 / 6  #: this share of the training samples, the last: 10,000 of 60,000
    normed: int = 256  #: width of the network with batch norm and dropout
    dropout: float = 0.5
    epochs: int = 10
    evaluation_batches: tuple[int, ...] = (10, 100, 1_000)
    passes: int = 5


@dataclass
class Forgetful(Trainer):
    """A loop with a line missing or in the wrong place; it doesn't stop at a loss that is not finite."""

    loop: str = COMPLETE

    def epoch(self, on_batch: OnBatch = lambda loss: None) -> float:
        """Trains for one epoch; returns the mean of the batches' losses."""
        self.model.train()
        total = 0.0
        for batch in self.loader:
            loss = self.objective(self.model, *batch)
            if self.loop != NO_ZERO_GRAD:
                self.optimizer.zero_grad()
            if self.loop != NO_BACKWARD:
                loss.backward()
            if self.loop == TOO_EARLY:
                self.optimizer.zero_grad()
            self.optimizer.step()
            total += loss.item()
            on_batch(loss.item())
        return total / len(self.loader)


def train(run: Run[Settings]) -> None:
    """Runs the listing, the loops with a missing line, and a network with dropout and batch norm."""
    run.expect(epochs=(1 + run.seeds + len(LOOPS)) * run.settings.epochs)
    run.keep_table("imports", imports())
    run.keep_table("batches", batches_of_ten(run))
    filled_in(run)
    one_step(run)
    accumulation(run)
    forgotten_lines(run)
    two_modes(run)


# ---- problem 2 A -------------------------------------------------------------------------------------------


def filled_in(run: Run[Settings]) -> None:
    """Runs the listing, and beside it a loop with zero_grad() in the usual place: both give the same network."""
    fw, settings = run.fw, run.settings
    images, labels = (part[: settings.listing_samples] for part in run.training_data)

    def build() -> Trainer:
        model = autoencoder(fw, *WIDTHS)
        return Trainer(
            model,
            fw.optim.Adam(model.parameters(), lr=0.001),
            batches(fw, images, labels, size=settings.batch_size, shuffle=True),
            lambda model, images, labels: fw.nn.functional.mse_loss(model(images), images),
        )

    usual = run.fit(AUTOENCODER, build, settings.epochs, lambda model: {})
    fw.manual_seed(run.seed)
    untrained = autoencoder(fw, *WIDTHS)
    fw.manual_seed(run.seed)
    printed = listing(fw, batches(fw, images, labels, size=settings.batch_size, shuffle=True), settings.epochs)
    with fw.no_grad():
        before, after = (((model(images) - images) ** 2).mean().item() for model in (untrained, printed))
    run.keep(
        listing_samples=len(labels),
        listing_first_loss=before,
        listing_last_loss=after,
        listing_difference=distance(printed, usual),
        listing_moved=distance(printed, untrained),
    )


def distance(one: Any, other: Any) -> float:
    """The largest difference between the parameters of two networks."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return float(max((a.detach() - b.detach()).abs().max().item() for a, b in pairs))


# ---- problem 3 A, B, C -------------------------------------------------------------------------------------


def imports() -> list[Row]:
    """Executes each import, minigrad's where it is installed, and describes what was imported."""
    executed = "minigrad" if importlib.util.find_spec("minigrad") else "torch"
    rows: list[Row] = []
    for question, (theirs, ours, name) in IMPORTS.items():
        namespace: dict[str, Any] = {}
        exec(ours if executed == "minigrad" else theirs, namespace)
        found = eval(name, namespace)
        says = (inspect.getdoc(found) or "").split("\n")[0]
        lines = {"torch": theirs, "minigrad": ours, "executed": executed}
        rows.append({"question": question, **lines, "name": name, "says": says})
    return rows


def batches_of_ten(run: Run[Settings]) -> list[Row]:
    """The order of ten samples from a DataLoader in three epochs."""
    fw = run.fw
    fw.manual_seed(run.seed)
    loader = batches(fw, fw.arange(10), size=4, shuffle=True)
    return [
        {"epoch": epoch, "batch": i, "samples": " ".join(map(str, batch.tolist()))}
        for epoch in range(1, 4)
        for i, (batch,) in enumerate(loader, start=1)
    ]


# ---- problem 3 D, E ----------------------------------------------------------------------------------------


def classifier(run: Run[Settings]) -> Any:
    """The untrained network for the loops."""
    run.fw.manual_seed(run.seed)
    return mlp(run.fw, 784, run.settings.hidden, 10)


def loss_of(fw: Any, model: Any, images: Any, labels: Any) -> Any:
    """The cross entropy of a batch."""
    return fw.nn.functional.cross_entropy(model(images), labels)


def one_step(run: Run[Settings]) -> None:
    """One step in each way, as the table `steps`: the gradient, the largest change, the losses before and after."""
    fw, settings = run.fw, run.settings
    images, labels = (part[: settings.batch_size] for part in run.training_data)
    rows: list[Row] = []
    for way in (COMPLETE, NO_BACKWARD, TOO_EARLY, "gradients of 0, weight decay 0.1"):
        model, start = classifier(run), classifier(run)
        decay = 0.1 if "decay" in way else 0.0
        optimizer = fw.optim.SGD(model.parameters(), lr=settings.learning_rate, weight_decay=decay)
        loss = loss_of(fw, model, images, labels)
        if way != NO_BACKWARD:
            loss.backward()
        if way not in (COMPLETE, NO_BACKWARD):
            optimizer.zero_grad(set_to_none=way == TOO_EARLY)
        gradient = next(model.parameters()).grad
        norm = "None" if gradient is None else f"{(gradient**2).sum().sqrt().item():.4f}"
        optimizer.step()
        after = loss_of(fw, model, images, labels).item()
        moved = distance(model, start)
        rows.append({"way": way, "gradient": norm, "moved": moved, "before": loss.item(), "after": after})
    run.keep_table("steps", rows)


def accumulation(run: Run[Settings]) -> None:
    """Gradients after 1, 2, … calls of backward(), as the table `accumulated`; and a batch in four pieces."""
    fw, model = run.fw, classifier(run)
    images, labels = (part[: run.settings.batch_size] for part in run.training_data)
    weight = model[0].weight
    loss_of(fw, model, images, labels).backward()
    first = weight.grad.clone()
    rows: list[Row] = []
    for calls in range(1, 6):
        norm = (weight.grad**2).sum().sqrt().item()
        error = (weight.grad - calls * first).abs().max().item()
        rows.append({"calls": calls, "norm": norm, "error": error})
        loss_of(fw, model, images, labels).backward()
    run.keep_table("accumulated", rows)
    model.zero_grad()
    cleared = weight.grad is None
    for piece in range(4):
        part = images[piece::4], labels[piece::4]
        (loss_of(fw, model, *part) * (len(part[1]) / len(labels))).backward()
    run.keep(cleared_to_none=cleared, pieces_error=(weight.grad - first).abs().max().item())


def forgotten_lines(run: Run[Settings]) -> None:
    """Trains with each loop; keeps the table `loops`."""
    fw, settings = run.fw, run.settings
    training, validation = split(run.training_data, settings.validation)
    rows: list[Row] = []
    for loop in LOOPS:

        def build(loop: str = loop) -> Trainer:
            model = mlp(fw, 784, settings.hidden, 10)
            optimizer = fw.optim.SGD(model.parameters(), lr=settings.learning_rate)
            loader = batches(fw, *training, size=settings.batch_size, shuffle=True)
            return Forgetful(model, optimizer, loader, partial(loss_of, fw), loop=loop)

        measure = lambda model: {"validation_accuracy": accuracy(fw, model, *validation)}
        model = run.fit(loop, build, settings.epochs, measure)
        history = run.history(loop)
        rows.append(
            {
                "loop": loop,
                "first_loss": history[0]["loss"],
                "last_loss": history[-1]["loss"],
                "accuracy": history[-1]["validation_accuracy"],
                "moved": distance(model, classifier(run)),
            }
        )
    run.keep_table("loops", rows)
    run.keep(training_samples=len(training[1]), validation_samples=len(validation[1]))


# ---- problem 3 F, G ----------------------------------------------------------------------------------------


def normed_network(fw: Any, settings: Settings) -> Any:
    """A network with batch norm and dropout."""
    nn, width = fw.nn, settings.normed
    return nn.Sequential(
        nn.Linear(784, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(settings.dropout), nn.Linear(width, 10)
    )


def two_modes(run: Run[Settings]) -> None:
    """The layers by themselves, then a network that is tested with and without eval()."""
    fw, settings = run.fw, run.settings
    fw.manual_seed(run.seed)
    run.keep_table("dropout", modes.dropout_table(fw, settings.dropout, 10_000))
    run.keep_table("batch_norm", modes.batch_norm_table(fw, (0, 1, 10, 100), 100))

    def build(samples: Samples = run.training_data) -> Trainer:
        model = normed_network(fw, settings)
        loader = batches(fw, *samples, size=settings.batch_size, shuffle=True)
        return Trainer(model, fw.optim.Adam(model.parameters(), lr=0.001), loader, partial(loss_of, fw))

    measure = lambda model: {"train_accuracy": accuracy(fw, model, *run.training_data)}
    model = run.fit(FINAL, build, settings.epochs, measure)
    again = fit_again(run, FINAL, build, settings.epochs)
    run.keep(train_accuracy=run.history(FINAL)[-1]["train_accuracy"])
    test = run.open_test(FINAL, *again, chosen="nothing: one network, tested with and without eval()")
    fw.manual_seed(run.seed)
    table = modes.mode_table(fw, model, test, settings.evaluation_batches)
    repeats = modes.repeat_table(fw, model, test, settings.batch_size, settings.passes)
    run.keep_table("modes", table)
    run.keep_table("repeats", repeats)
    further = [modes.repeat_table(fw, other, test, settings.batch_size, settings.passes) for other in again.values()]
    rights, forgottens = ([row["mean"] for row in rows] for rows in zip(repeats, *further, strict=True))
    run.keep(
        test_accuracy=rights[0],
        test_accuracies=rights,
        without_eval_test_accuracy=forgottens[0],
        without_eval_test_accuracies=forgottens,
        test_samples=len(test[1]),
        single_sample=modes.single_sample(fw, model, test[0]),
        **modes.aftermath(fw, model, test, settings.batch_size),
        **modes.gradient_in_eval(fw, model, run.training_data),
    )


EXPERIMENT = Experiment(
    name="training_loop",
    assignment="hw3 2 A, 3",
    trains="the printed loop, its blanks filled; what backward(), zero_grad(), train() and eval() do, shown by numbers",
    settings=Settings,
    train=train,
    headline=("test_accuracy", "without_eval_test_accuracy"),
)
