"""What the folder of an auto remembers beside its runs: the request, what was planned, and the seconds of each step.

A run of a step says by itself whether it has ended. The file is replaced at once, before a step begins and after it has
ended, so that a killed auto goes on with the step that it was at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonas_cli.auto.request import Request
from evonas_cli.auto.shares import STEPS
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.types import Json
from evonas_cli.store.files import write_json
from evonas_cli.store.reading import Absent, read_json

FILE = "auto.json"
SCHEMA = 1


@dataclass(frozen=True)
class Plan:
    """What is decided before the first training: overrides of every step (`common`), of the search, the metric that all
    steps follow, the evaluator's slots, the foreseen seconds of a training of the plain network, and how many times
    more examples training and validation part have together than the training part; the seconds that export and report
    are foreseen to take."""

    common: tuple[str, ...]
    search: tuple[str, ...]
    metric: str
    slots: int
    training: float
    growth: float
    export: float

    def to_json(self) -> dict[str, Json]:
        """As the file has it."""
        return {
            "common": list(self.common),
            "search": list(self.search),
            "metric": self.metric,
            "slots": self.slots,
            "training": self.training,
            "growth": self.growth,
            "export": self.export,
        }


@dataclass
class State:
    """`spent` has the seconds of each step that has ended, with the start of its workers; `start` what such a start
    took; `seeds` how often each network is trained at the end, once that is decided."""

    root: Path
    request: Request
    plan: Plan
    spent: dict[str, float] = field(default_factory=dict)
    start: float = 0.0
    seeds: int | None = None

    @property
    def used(self) -> float:
        """Seconds of all steps that have ended."""
        return sum(self.spent.values())

    def write(self) -> None:
        """Replaces the file."""
        write_json(
            self.root / FILE,
            {
                "schema": SCHEMA,
                "request": self.request.to_json(),
                "plan": self.plan.to_json(),
                "spent": self.spent,
                "start": self.start,
                "seeds": self.seeds,
            },
            durable=True,
        )


def there(root: Path) -> bool:
    """Whether the folder is one of an auto."""
    return (root / FILE).is_file()


def read_state(root: Path) -> State:
    """What the folder remembers. Raises RunError where that is nothing, or damaged."""
    try:
        data: Any = read_json(root / FILE)
    except Absent:
        raise RunError(f"{root} is no folder of `evonas auto`: it has no {FILE}") from None
    try:
        if data["schema"] != SCHEMA:
            raise RunError(f"{root / FILE} has the schema {data['schema']}, and this evonas reads {SCHEMA}")
        plan = data["plan"]
        planned = Plan(
            tuple(plan["common"]),
            tuple(plan["search"]),
            str(plan["metric"]),
            int(plan["slots"]),
            float(plan["training"]),
            float(plan["growth"]),
            float(plan["export"]),
        )
        spent = {str(name): float(seconds) for name, seconds in data["spent"].items()}
        if set(spent) - set(STEPS):
            raise ValueError("a step is unknown")
        seeds = None if data["seeds"] is None else int(data["seeds"])
        return State(root, Request.from_json(data["request"]), planned, spent, float(data["start"]), seeds)
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise RunError(f"{root / FILE} is damaged ({error}); restore it from a copy, or begin anew") from error
