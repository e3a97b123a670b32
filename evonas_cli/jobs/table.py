"""Looks candidates up in a table of finished trainings, such as NAS-Bench-201 (Dong and Yang, ICLR 2020)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file
from evonas_cli.core.protocols import Context, Space
from evonas_cli.core.types import Candidate, Direction, Json, Result


class Table:
    """A CSV with one row a genome; `key` is the column that holds genomes as the space writes them.

    Metrics: `valid_accuracy` and `valid_error` in [0, 1] from column `reward` (in %), `test_error` from `report`,
    `cost` = column `cost` times `cost_scale`, `parameters`, `multiply_adds` where the table has them (in millions).
    Raises UsageError for a missing file or column, and for a candidate that the table lacks.
    """

    needs: tuple[type, ...] = ()

    def __init__(
        self,
        space: Space[Any],
        path: str,
        key: str = "arch",
        reward: str = "c10_val12",
        report: str | None = "c10_test200",
        cost: str | None = "c10_train_s200",
        cost_scale: float = 0.06,
        parameters: str | None = "c10_params_m",
        multiply_adds: str | None = "c10_flops_m",
    ) -> None:
        if not 0 < cost_scale < float("inf"):
            raise UsageError(f"job.cost_scale is {cost_scale}; it must be a number above 0")
        self.space, self.path = space, Path(path).expanduser()
        self._columns = {
            name: column
            for name, column in {
                "reward": reward,
                "report": report,
                "cost": cost,
                "parameters": parameters,
                "multiply_adds": multiply_adds,
            }.items()
            if column is not None
        }
        self._key, self._cost_scale = key, cost_scale
        names: dict[str, Direction] = {"valid_error": "min", "valid_accuracy": "max"}
        if "cost" in self._columns:
            names["cost"] = "min"
        names |= {name: "min" for name in ("parameters", "multiply_adds") if name in self._columns}
        self.metrics: Mapping[str, Direction] = names
        self._rows: dict[str, dict[str, float]] = {}
        self._digest = ""

    def environment(self) -> dict[str, Json]:
        """A digest of the file."""
        self._load()
        return {"data": self._digest}

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        """One look-up each."""
        self._load()
        for candidate in candidates:
            genome = self.space.to_json(candidate.proposal.genome)
            name = genome if isinstance(genome, str) else json.dumps(genome)
            row = self._rows.get(name)
            if row is None:
                raise UsageError(f"{self.path} has no row with {self._key}={name}; use the table's own space")
            yield Result(candidate.id, "ok", row)

    def _load(self) -> None:
        if self._rows:
            return
        check_file(self.path, "pass job.path=FILE.csv")
        import pandas

        try:
            self._digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
            columns = list(dict.fromkeys([self._key, *self._columns.values()]))
            frame = pandas.read_csv(self.path, usecols=lambda name: name in columns)
        except (OSError, ValueError, EOFError) as error:
            raise UsageError(f"job.path={self.path} cannot be read as CSV: {error}") from error
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise UsageError(f"{self.path} has no column {', '.join(missing)}; set job.key, job.reward, ... to its own")
        names = frame[self._key].astype(str)
        if names.duplicated().any():
            raise UsageError(f"{self.path} has {names[names.duplicated()].iloc[0]} in two rows; keep one of them")
        values = {}
        for name, column in self._columns.items():
            numbers = pandas.to_numeric(frame[column], errors="coerce")
            fine = numbers.between(0, float("inf"), inclusive="left") & ((name != "cost") | (numbers > 0))
            if not fine.all():
                kind = "a number above 0" if name == "cost" else "a number of at least 0"
                raise UsageError(f"{self.path}: column {column} (job.{name}) must hold {kind} in every row")
            values[name] = numbers
        measured = {"valid_error": 1.0 - values["reward"] / 100, "valid_accuracy": values["reward"] / 100}
        if "report" in values:
            measured["test_error"] = 1.0 - values["report"] / 100
        if "cost" in values:
            measured["cost"] = values["cost"] * self._cost_scale
        for name in ("parameters", "multiply_adds"):
            if name in values:
                measured[name] = (values[name] * 1e6).round()
        table = pandas.DataFrame(measured)
        self._rows = dict(zip(names, table.to_dict("records"), strict=True))  # type: ignore[arg-type]
