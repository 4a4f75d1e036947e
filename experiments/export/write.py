"""Writing a problem as one file and as a notebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from experiments.data import own_sets
from experiments.export.flatten import MAIN, Program, Symbol
from experiments.registry import Experiment, report_of
from experiments.runner import files

STANDALONE = "experiments.export.standalone"
INSTEAD = {
    Symbol("experiments.runner.run", "Run"): STANDALONE,
    **{Symbol("experiments.reporting.report", n): STANDALONE for n in ("template", "operation_link", "module_link")},
}
ABOUT = """{assignment}: {trains}

One file that runs by itself, in minigrad or in PyTorch: python {name}.py --framework torch
It needs NumPy, matplotlib, seaborn and, for HDF5 files, h5py. It trains, and writes figures and report into {name}/.
The problem itself is in the sections experiments/{name}/, what it stands on in the others.
`python -m experiments export {name}` made the file from these modules.
"""
PROGRAM = '''"""The report's text, and the call of all that is above."""

from experiments.export.standalone import images, main
from experiments.{name}.report import write
from experiments.{name}.train import EXPERIMENT
{data}
TEXT = r"""{text}"""

if __name__ == "__main__":
    main(EXPERIMENT, write, {read})
'''
FUTURE = "from __future__ import annotations\n\n"


def export(experiment: Experiment[Any], folder: Path) -> list[Path]:
    """Writes NAME.py and NAME.ipynb into the folder; returns their paths."""
    found = program(experiment)
    about = ABOUT.format(**vars(experiment))
    imports = FUTURE + "\n".join(found.imports) + "\n"
    text, cells = f'"""{about}"""\n\n{imports}', [_cell("markdown", f"# {about}"), _cell("code", imports)]
    for module, code in found.sections():
        title = f"{module.replace('.', '/')}.py: {found.titles[module]}".removeprefix(f"{MAIN}.py: ")
        text += f"\n\n# ---- {title}\n\n{code}"
        code = re.sub(r'if __name__ == "__main__":\n    main\((.*)\)', r"main(\1, [])", code)  # without command line
        cells += [_cell("markdown", f"## {title}"), _cell("code", FUTURE + code)]
    files.write_text(path := folder / f"{experiment.name}.py", text)
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    files.write_json(folder / f"{experiment.name}.ipynb", notebook)
    return [path, path.with_suffix(".ipynb")]


def program(experiment: Experiment[Any]) -> Program:
    """All that the experiment needs, from its data to its report."""
    name, own = experiment.name, experiment.data in own_sets()
    text = Path(report_of(name).__code__.co_filename).with_name("report.md")
    data = f"from experiments.{name}.data import DATA\n" if own else ""
    read = "DATA.read" if own else f'images("{experiment.data}")'
    source = PROGRAM.format(name=name, text=text.read_text(encoding="utf-8"), data=data, read=read)
    return Program(source, INSTEAD)


def _cell(cell_type: str, text: str) -> dict[str, Any]:
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if cell_type == "code" else {}
    return {"cell_type": cell_type, "metadata": {}, "source": text.strip("\n"), **code}
