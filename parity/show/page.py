"""The page: verdict, statement and tables, and what is shown of each experiment, filled into `page.html.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import registry
from parity.judge.account import Account, error
from parity.show import figures, summary

TEMPLATE = "page.html.j2"


def html(accounts: Sequence[Account], parts: dict[str, dict[str, Any]], runs: dict[str, Any] | None = None) -> str:
    """The whole page as one string, with all figures inside."""
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"error": error, "css": lambda verdict: verdict.split(":")[0].replace(" ", "-")}
    known = [account for account in accounts if account.stages]
    commits = {str(p["commit"])[:9] for p in parts.values()}
    commits |= {str(t["commit"])[:9] for a in accounts for t in a.trainings if t["framework"] == "minigrad"}
    return environment.get_template(TEMPLATE).render(
        verdict=summary.verdict(accounts),
        statement=summary.statement(accounts),
        exams=summary.exams(parts["conformance"]) if "conformance" in parts else None,
        conformance=parts.get("conformance"),
        experiments=summary.experiments(accounts),
        costs=summary.costs(runs),
        accounts=known,
        trains={account.name: registry.find(account.name).trains for account in known},
        figures={account.name: figures.of(account) for account in known},
        seeds={account.name: summary.seeds(account) for account in known},
        networks={account.name: summary.networks(account) for account in known},
        versions=next((part["versions"] for part in parts.values()), {}),
        commits=sorted(commits),
    )
