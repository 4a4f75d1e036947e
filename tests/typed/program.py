"""A user's program that touches everything; type checkers must accept it as it stands, and it runs."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import numpy as np

import minigrad
import minigrad.nn.functional as F
from minigrad import Tensor, nn, optim
from minigrad.autograd import Function, grad, gradcheck
from minigrad.autograd.function import FunctionCtx
from minigrad.nn import init, utils
from minigrad.optim import lr_scheduler
from minigrad.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split


class Net(nn.Module):
    """An image classifier."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(4 * 4 * 4, classes)
        self.scale = nn.Parameter(minigrad.ones(1))
        self.register_buffer("seen", minigrad.zeros(1))
        init.xavier_uniform_(self.head.weight)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1, 8, 8) → (N, classes)."""
        x: Tensor = self.features(images)
        out: Tensor = self.head(self.dropout(x.flatten(1)))
        return out * self.scale


class Squares(Dataset[tuple[Tensor, int]]):
    """Numbers and their squares' parity."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return minigrad.tensor([float(index)]), index * index % 2


class Cube(Function):
    """x³."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        """The value."""
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:
        """The gradient."""
        (x,) = ctx.saved_tensors
        slope: Tensor = 3 * x**2 * gradients[0]
        return slope


def arithmetic() -> float:
    """Operators, indexing, reductions."""
    x = minigrad.randn(4, 3, requires_grad=True)
    y = minigrad.arange(12, dtype=minigrad.float32).reshape(4, 3)
    assert_type(x + y, Tensor)
    assert_type(2.0 - x, Tensor)
    assert_type(x == y, Tensor)
    assert_type(x < 0.5, Tensor)
    assert_type(x @ y.T, Tensor)
    assert_type(-(x.abs() ** 2) / 3, Tensor)
    assert_type(x[0, 1:], Tensor)
    assert_type(x.sum(), Tensor)
    assert_type(x.mean(dim=(0, 1), keepdim=True), Tensor)
    assert_type(x.max(), Tensor)
    values, indices = x.max(dim=1)
    assert_type(values, Tensor)
    assert_type(indices, Tensor)
    assert_type(x.sort(descending=True).indices, Tensor)
    assert_type(x.chunk(2), tuple[Tensor, ...])
    assert_type(minigrad.where(x > 0, x, 0.0), Tensor)
    assert_type(minigrad.cat([x, y], dim=1).shape[1], int)
    assert_type(x.size(), minigrad.Size)
    assert_type(x.size(0), int)
    assert_type(x.requires_grad, bool)
    y[0] = 2
    y[1, :2] = x.detach()[1, :2]
    y += 1
    y.clamp_(min=0.0).add_(1)
    z = minigrad.stack([part.exp() for part in x.unbind()]).permute(1, 0).contiguous().view(-1)
    weighted = minigrad.einsum("ij,ij->i", x, y).softmax(0).log()
    total = (z.tanh().sum() + weighted.logsumexp(0)) * Cube.apply(minigrad.tensor(2.0))
    (slope,) = grad(total, [x])
    assert slope is not None
    with minigrad.no_grad():
        moved = x.clone().normal_(0.0, 1.0).uniform_(-1.0, 1.0)
    assert x.numpy(force=True).dtype == np.float32
    return float(total.item() + moved.norm().item() + slope.abs().max().item())


def layers() -> None:
    """Recurrent layers, attention, embeddings, losses."""
    lstm = nn.LSTM(3, 5, num_layers=2, batch_first=True)
    out, (h, c) = lstm(minigrad.randn(2, 4, 3))
    assert out.shape == (2, 4, 5)
    assert h.shape == c.shape
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    tokens = nn.Embedding(10, 8)(minigrad.tensor([[1, 2, 3]]))
    mixed, weights = attention(tokens, tokens, tokens)
    assert mixed.shape == tokens.shape
    assert weights is not None
    logits = F.relu(F.linear(tokens, minigrad.randn(4, 8))).mean(1)
    target = minigrad.tensor([1])
    losses = [F.cross_entropy(logits, target, label_smoothing=0.1), nn.NLLLoss()(F.log_softmax(logits, dim=1), target)]
    losses.append(F.mse_loss(logits, minigrad.zeros_like(logits), reduction="sum"))
    assert all(loss.ndim == 0 for loss in losses)


def train(path: Path) -> list[float]:
    """A loop as users write it, with a schedule, clipping and a checkpoint."""
    minigrad.manual_seed(0)
    data = TensorDataset(minigrad.randn(20, 1, 8, 8), minigrad.randint(0, 3, (20,)))
    train_set, _ = random_split(data, [16, 4])
    loader: DataLoader[list[Tensor]] = DataLoader(train_set, batch_size=8, shuffle=True)
    model = Net()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    criterion = nn.CrossEntropyLoss()

    @minigrad.compile
    def step(images: Tensor, labels: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = criterion(model(images), labels)
        loss.backward()
        utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    history: list[float] = []
    for _ in range(2):
        for images, labels in loader:
            history.append(step(images, labels).item())
        schedule.step()
    np.savez(path, **{name: value.numpy(force=True) for name, value in model.state_dict().items()})
    model.eval().requires_grad_(False)
    return history


def main(path: Path) -> list[float]:
    """Everything."""
    minigrad.manual_seed(0)
    numbers = Squares()
    assert len(Subset(numbers, [1, 2])) == 2
    assert numbers[2][1] == 0
    assert gradcheck(lambda x: Cube.apply(x), (minigrad.tensor([0.5], dtype=minigrad.float64, requires_grad=True),))
    layers()
    return [arithmetic(), *train(path)]
