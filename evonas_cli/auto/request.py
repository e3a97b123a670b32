"""What a user asks of `evonas auto`, and how the request and a budget of time are read and written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
OWN = ("budget", "job", "jobs", "experiment", "dataset", "scalarize", "start_from", "start_best")
"""Keys, with all below them but those of `dataset`, that the command sets itself."""
SEARCHED = ("space", "strategy", "window", "constraints", "reference", "dedupe", "cache", "objectives")
"""Keys, with all below them, that concern the search alone and no other step."""


@dataclass(frozen=True)
class Request:
    """`data`: a path or the name of a data set; `target` and `text`: columns of a table; `budget` in seconds;
    `overrides` as for a search."""

    data: str
    budget: float
    target: tuple[str, ...] = ()
    text: str | None = None
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in map(key_of, self.overrides):
            if key in OWN or (root_of(key) in OWN and root_of(key) != "dataset"):
                cure = {"budget": "pass --budget", "dataset": "name DATA"}.get(root_of(key), "leave it out")
                raise UsageError(f"evonas auto sets {key} itself; {cure}, or use `evonas search`")

    @property
    def common(self) -> list[str]:
        """The overrides that concern every step."""
        return [text for text in self.overrides if root_of(key_of(text)) not in SEARCHED]

    def names(self, key: str) -> bool:
        """Whether an override sets the key, an option of a group for example: `names("space")`."""
        return key in map(key_of, self.overrides)

    def touches(self, root: str) -> bool:
        """Whether an override sets the key or one below it."""
        return root in (root_of(key_of(text)) for text in self.overrides)

    def to_json(self) -> dict[str, Json]:
        """As the folder of an auto keeps it."""
        return {**asdict(self), "target": list(self.target), "overrides": list(self.overrides)}

    @classmethod
    def from_json(cls, data: Any) -> Request:
        """The inverse of `to_json`. Raises ValueError, TypeError or KeyError for anything else."""
        return cls(
            str(data["data"]), float(data["budget"]), tuple(data["target"]), data["text"], tuple(data["overrides"])
        )


def key_of(override: str) -> str:
    """`trainer.epochs` of `trainer.epochs=3`."""
    return override.partition("=")[0].strip()


def root_of(key: str) -> str:
    """`trainer` of `trainer.epochs`."""
    return key.partition(".")[0]


def seconds_of(text: str) -> float:
    """`90`, `90s`, `30m` and `1.5h` in seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"--budget is {text!r}; write seconds, minutes or hours, e.g. 90s, 30m or 1.5h")
    return float(found[1]) * UNITS[found[2]]


def in_words(seconds: float) -> str:
    """`45 s`, `12.5 min`, `2.5 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def without(words: Sequence[str], given: Sequence[str]) -> list[str]:
    """The words whose keys the given ones do not set."""
    keys = set(map(key_of, given))
    return [word for word in words if key_of(word) not in keys]
