"""One measurement in a process of its own; prints one line of JSON.

Started by `benchmarks.fresh`, with a number of threads for BLAS in the environment and nothing else that steers it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from experiments.runner.machine import peak_megabytes

EVALUATED, AT_ONCE = 10_000, 1_000


def times(once: Callable[[], Any], seconds: float = 0.5, warm_up: int = 20) -> list[float]:
    """Seconds of each of repeated calls, at least five."""
    for _ in range(warm_up):
        once()
    found: list[float] = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end or len(found) < 5:
        once()
        found.append(time.perf_counter() - now)
    return found


def prepared(contender: str, network: str) -> Callable[[], Any]:
    """The contender's training step. Its modules are imported here and not above, where `imported` would miss NumPy."""
    from benchmarks.contenders import CONTENDERS
    from benchmarks.networks import find

    return CONTENDERS[contender].prepare(find(network))


def steps(contender: str, network: str) -> dict[str, Any]:
    """Seconds a training step."""
    return {"seconds": statistics.median(times(prepared(contender, network)))}


def profile(contender: str, network: str) -> dict[str, Any]:
    """The share of each operation, forward and backward, in the time of many eager training steps."""
    from minigrad import profiler

    step = prepared(contender, network)
    times(step, 0)
    with profiler.profile() as prof:
        times(step, warm_up=0)
    events = prof.key_averages()
    shares = {event.key: event.seconds / events.wall for event in events}
    return {"shares": {**shares, "between operations": 1 - sum(shares.values())}}


def evaluation(contender: str, network: str) -> dict[str, Any]:
    """Seconds to classify 10,000 samples, 1,000 at a time, without a graph."""
    from benchmarks.networks import find

    fw, net = importlib.import_module(contender), find(network)
    model = net.build(fw).eval()
    inputs = fw.from_numpy(net.arrays(EVALUATED)[0])

    def once() -> None:
        with fw.no_grad():
            for start in range(0, EVALUATED, AT_ONCE):
                model(inputs[start : start + AT_ONCE])

    return {"seconds": statistics.median(times(once, warm_up=1))}


def epoch(contender: str, network: str) -> dict[str, Any]:
    """Seconds for an epoch of MNIST as users write it: ToTensor, Normalize, DataLoader, training step."""
    from benchmarks.contenders import training_step
    from benchmarks.networks import find

    fw, net = importlib.import_module(contender), find(network)
    vision: Any = importlib.import_module("minigrad.vision")
    data = vision.datasets.MNIST(train=True)
    if contender == "torch":
        from parity._torchvision import import_torchvision

        vision, images, labels = import_torchvision(), fw.from_numpy(data.data.numpy()), data.targets.numpy()
        data = vision.datasets.MNIST.__new__(vision.datasets.MNIST)  # the images are there: no files are looked for
        vars(data).update(data=images, targets=fw.from_numpy(labels), target_transform=None)
    to_tensor, normalize = vision.transforms.ToTensor(), vision.transforms.Normalize((0.1307,), (0.3081,))
    data.transform = vision.transforms.Compose([to_tensor, normalize])
    loader = fw.utils.data.DataLoader(data, batch_size=net.batch, shuffle=True)
    step = training_step(net, fw, lambda fw, model: fw.nn.Sequential(fw.nn.Flatten(), model))
    start = time.perf_counter()
    for inputs, targets in loader:
        step(inputs, targets)
    return {"seconds": time.perf_counter() - start}


def first_step(contender: str, network: str) -> dict[str, Any]:
    """Seconds from the start of the process to the end of its first training step."""
    prepared(contender, network)()
    return {"seconds": time.time() - float(os.environ["BENCHMARK_STARTED"])}


def imported(contender: str, network: str) -> dict[str, Any]:
    """Seconds and peak memory (MB) of importing the framework."""
    start = time.perf_counter()
    importlib.import_module(contender)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "megabytes": peak_megabytes()}


def memory(contender: str, network: str) -> dict[str, Any]:
    """Resident memory (MB) after 1,000 steps and after 10,000 more, with the garbage collector off."""
    import psutil

    step, process, found = prepared(contender, network), psutil.Process(), {}
    gc.collect()
    gc.disable()
    for name, count in (("before", 1_000), ("after", 10_000)):
        for _ in range(count):
            step()
        found[name] = process.memory_info().rss / 2**20
    return found


def kernel(contender: str, network: str) -> dict[str, Any]:
    """The BLAS libraries in use, and the kernel that each picked."""
    from threadpoolctl import threadpool_info

    importlib.import_module(contender)
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"blas": [{key: pool.get(key) for key in ("internal_api", "version", "architecture")} for pool in pools]}


TASKS = {task.__name__: task for task in (steps, profile, evaluation, epoch, first_step, imported, memory, kernel)}

if __name__ == "__main__":
    name, contender, threads, network = sys.argv[1:]
    if contender.startswith("JAX") and threads == "1":  # XLA reads no thread variable: it starts a thread for each core
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(TASKS[name](contender, network)))
