"""How help is laid out: verbs in the order of a user's day, under headings, and an example for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typer.core import TyperGroup

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Search": ("search", "resume", "sweep", "auto", "tune", "tune-strategy", "retrain"),
    "Models": ("export", "compress", "evaluate", "predict", "explain"),
    "Results": ("list", "show", "watch", "pareto", "plot", "compare", "report"),
    "Catalogue": (
        *("spaces", "strategies", "datasets", "trainers", "jobs", "evaluators", "trackers", "experiments", "metrics"),
        "config",
    ),
    "Checks": ("verify", "doctor", "clean", "bench"),
}
OTHER = "Other"
"""The heading of what is under no other one."""
EXAMPLES: Mapping[str, str] = {
    "auto": "auto wine.csv --target class --budget 10m",
    "search": "search space=nasnet strategy=random budget.evaluations=20",
    "resume": "resume latest budget.evaluations=120",
    "sweep": "sweep strategy=random,genetic 'seed=range(0,5)' --name first",
    "tune": "tune space=hyperparameters dataset=fashion_mnist",
    "tune-strategy": "tune-strategy space=bits job=landscape --gene strategy.population_size=4..64",
    "retrain": "retrain latest best --seeds 5",
    "export": "export latest best --format dir,py -o model",
    "compress": "compress latest best --prune shapley --sparsity 0.5 -o small",
    "evaluate": "evaluate model photographs/test",
    "predict": "predict model photographs/new -o predictions.csv",
    "explain": "explain latest best -o explanation.html",
    "list": "list",
    "show": "show latest --top 10",
    "pareto": "pareto latest --format csv",
    "plot": "plot latest --front -o front.svg",
    "watch": "watch latest",
    "compare": "compare outputs/sweep-first --plot curves.svg",
    "report": "report latest -o report.html",
    "spaces": "spaces nasnet",
    "strategies": "strategies --table",
    "datasets": "datasets digits",
    "trainers": "trainers sgd",
    "jobs": "jobs table",
    "evaluators": "evaluators pool",
    "trackers": "trackers tensorboard",
    "experiments": "experiments amoebanet_small",
    "metrics": "metrics valid_error",
    "config": "config strategy=random seed=7",
    "verify": "verify latest",
    "doctor": "doctor",
    "clean": "clean --weights",
    "bench": "bench engine --quick",
    "bench build": "bench build nasbench201 space.channels=4 -o cells.csv.gz",
    "bench engine": "bench engine --quick",
    "bench patterns": "bench patterns --like latest --seeds 3 -o patterns",
    "bench strategies": "bench strategies space=bits --strategies random,genetic",
    "help": "help bench engine",
}


def example(verb: str) -> str | None:
    """The line with which the help of a verb ends; None for a verb without one."""
    return f"Example: evonas {EXAMPLES[verb]}" if verb in EXAMPLES else None


class Grouped(TyperGroup):
    """Commands in the order of `SECTIONS`, under its headings; all others come last."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in that order."""
        known = [name for names in SECTIONS.values() for name in names if name in self.commands]
        return [*known, *[name for name in self.commands if name not in known]]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes a list for each heading, all with equal indentation."""
        names = self.list_commands(ctx)
        width = max(map(len, names))
        listed = {heading: [name for name in names if name in group] for heading, group in SECTIONS.items()}
        listed[OTHER] = [name for name in names if not any(name in group for group in SECTIONS.values())]
        for heading, group in listed.items():
            if not group:
                continue
            limit = formatter.width - 6 - width
            rows = [(name.ljust(width), self.commands[name].get_short_help_str(limit)) for name in group]
            with formatter.section(heading):
                formatter.write_dl(rows)
