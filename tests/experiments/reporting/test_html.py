"""A report as one HTML file: nothing outside of it is needed."""

import re
import shutil

import pytest

from experiments.reporting import html
from experiments.reporting.pages import RESULTS
from experiments.runner.errors import UsageError


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "mnist_backprop"])
def test_pictures_tables_and_formulas_are_inside(tmp_path, name):
    folder = shutil.copytree(RESULTS / name, tmp_path / name)
    page, source = html.write(folder).read_text(encoding="utf-8"), (folder / "report.md").read_text(encoding="utf-8")
    assert re.findall(r'src="(?!data:image/png;base64,)', page) == []
    assert page.count("<img") == len(re.findall(r"!\[|<img", source)) > 0
    assert page.count("<math") == len(re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", source, re.DOTALL))
    assert "<table>" in page
    assert "FORMULA" not in page


def test_without_a_report(tmp_path):
    with pytest.raises(UsageError, match=r"there is no report .*report\.md; `python -m experiments run` writes one"):
        html.write(tmp_path)
