"""ee541-hw6 3: what an MLP with dropout and L2 confuses on CIFAR-10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.data import Samples
from experiments.registry import Experiment
from experiments.runner.run import Run
from experiments.training.classification import Tuned, mlp, train_best
from experiments.training.trainer import EVALUATION_BATCH, batches


@dataclass(frozen=True)
class Settings(Tuned):
    """All choices of this experiment."""

    hidden: tuple[int, ...] = (256, 128)
    dropout: float = 0.3
    l2: float = 1e-4
    learning_rates: tuple[float, ...] = (0.0025, 0.005, 0.01)
    epochs: int = 40
    search_epochs: int = 40  #: a short search favours rates that are too high for the whole training
    batch_size: int = 100


def statistics(fw: Any, inputs: Any, channels: int) -> tuple[Any, Any]:
    """Mean and standard deviation of each channel, `(channels,)`, over all pixels of all images."""
    sums: Any = 0
    squares: Any = 0
    for (batch,) in batches(fw, inputs, size=EVALUATION_BATCH):
        values = batch.double()
        sums, squares = sums + values.sum(0), squares + (values**2).sum(0)  # per value first, which sums long rows
    count = inputs.numel() / channels
    mean, square = (total.reshape(-1, channels).sum(0) / count for total in (sums, squares))
    return mean.float(), (square - mean**2).sqrt().float()


def normalization(fw: Any, inputs: Any, channels: int) -> Any:
    """A layer that normalises each channel by its mean and standard deviation over these inputs."""

    class Normalize(fw.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            pixels = inputs.shape[1] // channels
            for name, values in zip(("mean", "std"), statistics(fw, inputs, channels), strict=True):
                self.register_buffer(name, values.repeat(pixels))

        def forward(self, images: Any) -> Any:
            return (images - self.mean) / self.std

    return Normalize()


def network(fw: Any, settings: Settings, channels: int, samples: Samples) -> Any:
    """The network for images of this size, normalised by the statistics of these training samples."""
    inputs, _ = samples
    body = mlp(fw, inputs.shape[1], *settings.hidden, 10, dropout=settings.dropout)
    return fw.nn.Sequential(normalization(fw, inputs, channels), *body)


def train(run: Run[Settings]) -> None:
    """The learning rate by validation; that network trained on everything, and tested once."""
    fw, settings, channels = run.fw, run.settings, run.source.channels
    candidates = settings.candidates(fw, lambda samples: network(fw, settings, channels, samples))
    model, _ = train_best(run, candidates, min(settings.search_epochs, settings.epochs))
    constants = {"means": model[0].mean, "stds": model[0].std}
    run.keep(inputs=run.training_data[0].shape[1], **{k: v[:channels].tolist() for k, v in constants.items()})


EXPERIMENT = Experiment(
    name="cifar_mlp",
    assignment="ee541-hw6 3",
    trains="3072-256-128-10 with dropout 0.3 twice and L2 1e-4 on CIFAR-10; what is confused with what",
    settings=Settings,
    train=train,
    headline=("test_accuracy",),
    data="cifar-10",
)
