"""What Linux has and other systems lack is taken away, one thing at a time; a network still trains to the same loss."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import minigrad
from minigrad import nn
minigrad.set_num_threads(2)
minigrad.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
optimizer = minigrad.optim.Adam(model.parameters())
x, y = minigrad.randn(40, 1, 8, 8), minigrad.randint(0, 3, (40,))

@minigrad.compile
def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss

print([step().item() for _ in range(3)])
from minigrad.vision.files import cache_folder
print(bool(str(cache_folder())))
from experiments.runner.machine import CORES, peak_megabytes
print(CORES >= 1, peak_megabytes() >= 0)
"""
LACKING = {
    "nothing": "",
    "another BLAS": "import ctypes\nctypes.CDLL = lambda *_, **__: (_ for _ in ()).throw(OSError('no such library'))",
    "no affinity of cores": "import os\nfor name in [n for n in dir(os) if n.startswith('sched_')]: delattr(os, name)",
    "no fork": "import os\ndel os.register_at_fork, os.fork",
    "no resource": "import sys\nsys.modules['resource'] = None",
    "no /proc": "from pathlib import Path\nPath.exists = lambda self: not str(self).startswith('/proc')",
    "Windows": "import sys, os\nimport numpy, ctypes, tempfile, subprocess\nsys.platform = 'win32'",
    "macOS": "import sys, os\nimport numpy, ctypes\nsys.platform = 'darwin'",
}


def run(prelude, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{prelude}\n{PROGRAM}"],
        capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def losses():
    return run("")


@pytest.mark.parametrize("lack", LACKING)
def test_a_network_trains_without(lack, losses):
    assert run(LACKING[lack]) == losses


def test_a_network_trains_where_freed_memory_is_not_kept(losses):
    assert run("", MINIGRAD_KEEP_FREED="0") == losses
