"""Finished runs, one folder for each framework: their curves, network by network.

``python -m benchmarks runs --minigrad-out A --torch-out B`` writes such folders.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import registry
from experiments.runner import checkpoint, files
from experiments.runner.errors import UsageError
from experiments.runner.files import Row
from experiments.runner.options import Options
from experiments.runner.record import CONFIG, HISTORY
from experiments.runner.run import differences
from parity.measure import networks
from parity.measure.networks import FRAMEWORKS, Pair

OTHER_CHOICE = "the two runs chose otherwise"
SHARED = ("seed", "limit", "settings", "data")  #: of `config.json`: what has to be the same in both runs


@dataclass(frozen=True)
class Paired:
    """An experiment that was run in both frameworks.

    Attributes:
        experiment: its name.
        pairs: the networks that both trained.
        curves: what minigrad's run recorded after each epoch, and PyTorch's, by stage.
        unpaired: networks that only one of them trained, because of another choice between candidates: stage and why.
    """

    experiment: str
    pairs: tuple[Pair, ...]
    curves: dict[str, tuple[list[Row], list[Row]]]
    unpaired: dict[str, str]


def read(names: Sequence[str], folders: Sequence[Path], options: Options) -> list[Paired]:
    """These experiments, or all, from the folders of minigrad's and PyTorch's results.

    Raises:
        UsageError: naming all that is missing, and all runs that are no pair: of another framework, seed, data or
            settings than the other, than the experiment's, or than was asked for.
    """
    names = list(names or registry.names())
    configs = {name: [_config(folder / name) for folder in folders] for name in names}
    problems = [problem for name in names for problem in _problems(name, folders, configs[name], options)]
    if problems:
        raise UsageError("--runs: " + "; ".join(problems))
    return [_paired(name, folders, configs[name][0] or {}, options) for name in names]


def _config(folder: Path) -> dict[str, Any] | None:
    """A run's settings; None where there is no run."""
    if not all((folder / name).exists() for name in (CONFIG, HISTORY)):
        return None
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return {key: config[key] for key in ("framework", *SHARED)}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--runs: {folder / CONFIG} is damaged: {error!r}") from None


def _problems(
    name: str, folders: Sequence[Path], configs: Sequence[dict[str, Any] | None], options: Options
) -> list[str]:
    found = []
    for framework, folder, config in zip(FRAMEWORKS, folders, configs, strict=True):
        if config is None:
            line = f"python -m experiments run {name} --framework {framework} --out {folder}"
            found.append(f"{folder} holds no finished run of {name} (`{line}`)")
        elif config["framework"] != framework:
            found.append(f"{folder / name} is a run in {config['framework']}, not {framework}")
    if found:
        return found
    ours, theirs = ({key: (config or {})[key] for key in SHARED} for config in configs)
    found = [f"{name}: {what} in {' and '.join(map(str, folders))}" for what in differences(ours, theirs)]
    for what, has in {**ours, "data": ours["data"]["name"]}.items():
        asked = getattr(options, what, None)
        if asked not in (getattr(Options(), what, None), has):
            found.append(f"{name}: --{what} {asked}, but the runs are of {what} {has}")
    return found


def _paired(name: str, folders: Sequence[Path], config: dict[str, Any], options: Options) -> Paired:
    same = {"seed": config["seed"], "limit": config["limit"], "data": config["data"]["name"]}
    given = Options(**same, data_dir=options.data_dir, epochs=config["settings"].get("epochs"))
    load = networks.loading_once()
    found = {pair.stage: pair for pair in networks.pairs([name], given, folders[0], load)}
    there = networks.dry_run(name, given, folders[1], load)
    was, now = ({key: settings[key] for key in SHARED} for settings in (config, checkpoint.plain(there.config)))
    if others := list(differences(was, now)):
        raise UsageError(f"--runs: {folders[0] / name} is no run of {name} as it is: {'; '.join(others)}")
    ours, theirs = (_histories(folder / name / HISTORY) for folder in folders)
    unpaired = {stage: f"only in {folders[0]}: {OTHER_CHOICE}" for stage in ours if stage not in theirs}
    unpaired |= {stage: f"only in {folders[1]}: {OTHER_CHOICE}" for stage in theirs if stage not in ours}
    curves = {}
    for stage in ours.keys() & theirs.keys() & found.keys() & there.networks.keys():
        network, lengths = found[stage].ours, [len(rows) for rows in (ours[stage], theirs[stage])]
        if lengths != [network.epochs] * 2:
            ran = " and ".join(map(str, lengths))
            raise UsageError(f"--runs: {name}, {stage}: {ran} epochs, where it takes {network.epochs}")
        if networks.beginning_of(network) != networks.beginning_of(there.networks[stage]):
            unpaired[stage] = f"not the same network: {OTHER_CHOICE}"
        else:
            curves[stage] = ours[stage], theirs[stage]
    return Paired(name, tuple(pair for stage, pair in found.items() if stage in curves), curves, unpaired)


def _histories(path: Path) -> dict[str, list[Row]]:
    """The rows of each training."""
    found: dict[str, list[Row]] = {}
    for row in files.read_csv(path):
        found.setdefault(str(row.pop("stage")), []).append(row)
    return found
