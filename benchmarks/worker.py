"""One measurement in a process of its own; prints one line of JSON.

Started by `benchmarks.fresh`, which clears the environment of anything that steers the BLAS library.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from typing import Any

from experiments.runner.machine import peak_megabytes

WARM_UP, SECONDS = 20, 0.5
EVALUATED, AT_ONCE = 10_000, 1_000
BETWEEN = "between operations"


def hold(contender: str, threads: int) -> None:
    """Hold what doesn't read the thread variables of the environment to so many threads."""
    if contender.startswith("JAX") and threads == 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # XLA takes as many threads as it sees cores
    if contender.startswith("torch"):
        importlib.import_module("torch").set_num_threads(threads)


def median_seconds(once: Any, warm_up: int = WARM_UP, seconds: float = SECONDS) -> float:
    """The median of repeated calls, of at least five."""
    for _ in range(warm_up):
        once()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end or len(times) < 5:
        once()
        times.append(time.perf_counter() - now)
    return statistics.median(times)


def steps(contender: str, network: str) -> dict[str, Any]:
    """Seconds a training step."""
    from benchmarks.contenders import CONTENDERS
    from benchmarks.networks import find

    return {"seconds": median_seconds(CONTENDERS[contender].prepare(find(network)))}


def profiled(contender: str, network: str) -> dict[str, Any]:
    """The share of each operation, forward and backward, in the time of many eager training steps."""
    from benchmarks.contenders import CONTENDERS
    from benchmarks.networks import find
    from minigrad.profiler import profile

    step = CONTENDERS[contender].prepare(find(network))
    median_seconds(step, seconds=0.0)
    with profile() as prof:
        median_seconds(step, warm_up=0)
    events = prof.key_averages()
    shares = {event.key: event.seconds / events.wall for event in events}
    return {"shares": {**shares, BETWEEN: 1 - sum(shares.values())}}


def evaluation(contender: str, network: str) -> dict[str, Any]:
    """Seconds to classify 10,000 samples, 1,000 at a time, without a graph."""
    from benchmarks.networks import find

    fw, net = importlib.import_module(contender), find(network)
    model = net.build(fw)
    model.eval()
    inputs = fw.from_numpy(net.arrays(EVALUATED)[0])

    def once() -> None:
        with fw.no_grad():
            for start in range(0, EVALUATED, AT_ONCE):
                model(inputs[start : start + AT_ONCE])

    return {"seconds": median_seconds(once, warm_up=1)}


def epoch(contender: str, network: str) -> dict[str, Any]:
    """Seconds for an epoch of MNIST as users write it: ToTensor, Normalize, DataLoader, training step."""
    from benchmarks.networks import find

    fw, net = importlib.import_module(contender), find(network)
    vision, root = importlib.import_module("minigrad.vision"), None
    if contender == "torch":
        from parity._torchvision import import_torchvision

        vision, root = import_torchvision(), os.environ["BENCHMARK_TORCHVISION"]
    convert = vision.transforms.Compose(
        [vision.transforms.ToTensor(), vision.transforms.Normalize((0.1307,), (0.3081,))]
    )
    data = vision.datasets.MNIST(root, train=True, transform=convert)
    loader = fw.utils.data.DataLoader(data, batch_size=net.batch, shuffle=True)
    model = fw.nn.Sequential(fw.nn.Flatten(), net.build(fw))
    objective, optimizer = net.objective(fw), net.optimizer(fw, model.parameters())

    def once() -> None:
        for inputs, targets in loader:
            loss = objective(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    start = time.perf_counter()
    once()
    return {"seconds": time.perf_counter() - start}


def first_step(contender: str, network: str) -> dict[str, Any]:
    """Seconds from the start of the process to the end of its first training step."""
    from benchmarks.contenders import CONTENDERS
    from benchmarks.networks import find

    CONTENDERS[contender].prepare(find(network))()
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

    from benchmarks.contenders import CONTENDERS
    from benchmarks.networks import find

    step = CONTENDERS[contender].prepare(find(network))
    gc.collect()
    gc.disable()
    process = psutil.Process()
    readings = []
    for count in (1_000, 10_000):
        for _ in range(count):
            step()
        readings.append(process.memory_info().rss / 2**20)
    return {"before": readings[0], "after": readings[1]}


def kernel(contender: str, network: str) -> dict[str, Any]:
    """The BLAS libraries in use, and the kernel that each picked."""
    from threadpoolctl import threadpool_info

    importlib.import_module(contender)
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return {"blas": [{key: pool.get(key) for key in ("internal_api", "version", "architecture")} for pool in pools]}


TASKS = {
    "steps": steps,
    "profile": profiled,
    "evaluation": evaluation,
    "epoch": epoch,
    "first step": first_step,
    "import": imported,
    "memory": memory,
    "kernel": kernel,
}

if __name__ == "__main__":
    task, contender, threads, network = sys.argv[1:]
    if task != "import":
        hold(contender, int(threads))
    print(json.dumps(TASKS[task](contender, network)))
