"""A report as one HTML file, pictures and formulas inside, that any browser opens without a network."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from experiments.runner import files
from experiments.runner.errors import UsageError

STYLE = """body { max-width: 60em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 sans-serif; color: #222; }
h1, a, code { overflow-wrap: anywhere; } h1 { font-size: 1.6em; } math[display=block] { overflow-x: auto; }
img { max-width: 100%; } table { border-collapse: collapse; display: block; overflow-x: auto; }
td, th { border: 1px solid #ccc; padding: .2em .6em; } pre { overflow-x: auto; background: #f6f6f6; padding: .6em; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } pre { background: #262626; }
img { background: #fff; } a { color: #8ab4f8; } }"""


def write(folder: Path) -> Path:
    """Write ``report.html`` beside the ``report.md`` of a run; returns its path.

    Raises:
        UsageError: if there is no report, or what makes the page is not installed.
    """
    try:
        import markdown
        from latex2mathml import converter
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed: pip install -e '.[plots]'") from None
    source = folder / "report.md"
    if not source.exists():
        raise UsageError(f"there is no report {source}; `python -m experiments run` writes one")

    formulas: list[str] = []

    def formula(found: re.Match[str]) -> str:
        display = "block" if found[1] else "inline"
        formulas.append(converter.convert(found[1] or found[2], display=display))
        return f"FORMULA{len(formulas) - 1}FORMULA"

    def picture(found: re.Match[str]) -> str:
        data = base64.b64encode((folder / found[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{data}"'

    text = re.sub(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", formula, source.read_text(encoding="utf-8"), flags=re.DOTALL)
    body = markdown.markdown(text, extensions=["tables", "fenced_code", "md_in_html"])
    body = re.sub(r"FORMULA(\d+)FORMULA", lambda found: formulas[int(found[1])], body)
    body = re.sub(r'src="([^":]+\.png)"', picture, body)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{folder.name}</title>'
    page = f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>\n"
    target = folder / "report.html"
    files.write_text(target, page)
    return target
