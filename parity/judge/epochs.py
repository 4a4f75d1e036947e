"""An epoch of a network in both frameworks in float64, judged."""

from __future__ import annotations

from typing import Any

from parity.judge import tolerances
from parity.measure import epoch
from parity.measure.networks import Pair


def one_epoch(pair: Pair) -> dict[str, Any]:
    """Trains both for an epoch and compares all that was trained; where they part, PyTorch with itself as well.

    Returns:
        The epoch as JSON holds it: `apart` by name, the `furthest` of them and `which` that is, how far PyTorch is
        from `itself` (None where it wasn't asked), and whether it `passed`.
    """
    (ours, steps, loss), (theirs, their_steps, their_loss) = (epoch.trained(n) for n in (pair.ours, pair.theirs))
    if steps != their_steps:
        raise AssertionError(f"{pair.name}: {steps} batches an epoch in minigrad, {their_steps} in PyTorch")
    apart = epoch.apart(ours, theirs)
    which = max(apart, key=lambda name: apart[name])
    furthest, itself = apart[which], None
    if furthest > tolerances.EPOCH:
        itself = epoch.from_itself(pair.theirs, theirs)
    return {
        **pair.as_json(),
        "optimizer": type(pair.ours.start().optimizer).__name__,
        "steps": steps,
        "losses": (loss, their_loss),
        "furthest": furthest,
        "which": which,
        "itself": itself,
        "passed": furthest <= max(tolerances.EPOCH, tolerances.AMPLIFIED * (itself or 0.0)),
    }
