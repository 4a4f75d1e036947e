"""How the command lines start: what is missing is one line, and whoever stops reading them meets no traceback."""

import subprocess
import sys

import pytest


def python(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("program", ["experiments", "parity", "benchmarks"])
def test_without_numpy(program):
    code = f"import sys, runpy\nsys.modules['numpy'] = None\nrunpy.run_module({program!r}, run_name='__main__')"
    done = python(code)
    assert done.returncode == 1
    assert done.stderr.startswith("error: numpy is not installed: pip install -e '.[")
    assert len(done.stderr.splitlines()) == 1


def test_a_closed_pipe_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m experiments list | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split()[0], done.stderr) == ("name", "")


def test_a_wrong_word_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "steps", "--networks", "mpl"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "error: argument --networks: there is no 'mpl'; did you mean 'mlp'?\n")
