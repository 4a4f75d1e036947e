"""The version of the code: its commit, and a hash of the files that results depend on."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("minigrad", "experiments")
REPORTS = (
    "experiments/reporting/*",
    "experiments/export/*",
    "experiments/*/report.py",
)  #: text and figures can be made again without training


@functools.cache
def version() -> dict[str, str | None]:
    """The commit, with ``-dirty`` where these packages differ from it (None outside a clone), and `code_hash`."""
    commit = _git("rev-parse", "HEAD")
    changed = commit and _git("status", "--porcelain", "--", *PACKAGES)
    return {"commit": f"{commit}-dirty" if changed else commit, "code": code_hash()}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def code_hash() -> str:
    """The SHA-256 of all Python files of minigrad and of the experiments, reports apart."""
    found = hashlib.sha256()
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        name = path.relative_to(ROOT)
        if not any(name.match(pattern) for pattern in REPORTS):
            found.update(f"{name.as_posix()}\n".encode() + path.read_bytes())
    return found.hexdigest()
