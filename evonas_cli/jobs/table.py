"""Looks candidates up in a table of finished trainings, such as NAS-Bench-201 (Dong and Yang, ICLR 2020)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Result, Unit
from evonas_cli.core.wanted import NOTHING, Wanted
from evonas_cli.data.latencies import Latencies
from evonas_cli.genomes.capabilities import Functional
from evonas_cli.network.metrics import OF_NETWORKS
from evonas_cli.training.measuring.plan import Measuring, Timing

if TYPE_CHECKING:
    import pandas

UNITS = {"percent": 100.0, "fraction": 1.0}
"""What an accuracy of one is in each unit."""
COLUMNS = ("reward", "report", "cost", "parameters", "multiply_adds")
OWN = ("valid_error", "valid_accuracy", "test_error")
FAILED = "failed"
"""What stands for the accuracies of a row whose training failed."""
NEAR = 1e-6
"""Fidelities that differ by less are one: a third has no exact decimal form."""


@dataclass(frozen=True)
class Level:
    """What the table has of trainings of one fidelity: a column for each of some of `COLUMNS` and of the further
    metrics, and the cost's scale."""

    columns: Mapping[str, str]
    cost_scale: float


class Table:
    """Look-ups in a CSV of finished trainings, with one row per genome.

    `key` is the column that holds genomes as the space writes them.

    Metrics: `valid_accuracy` and `valid_error` in [0, 1] from column `reward`, `test_error` from `report`, both in
    `accuracy_unit`, percent or fraction (0 to 1),
    `cost` = column `cost` times `cost_scale`, `parameters`, `multiply_adds` where the table has them (in millions), and
    those of `metrics`, a column for each name, in the column's unit; of these, too, less is better.
    `fidelities` has for each fidelity that can be asked for what differs there, such as {0.06: {reward: c10_val12},
    1.0: {reward: c10_val200, cost_scale: 1.0}}; without it fidelity 1 is all there is. A table holds trainings that
    were made apart from each other, so none continues another one, and each costs all its epochs.
    `latency_ms` is in a table of its own, where it is asked for by `wanted` or `measure`.
    The key column is text, character by character. Raises UsageError for a missing file or column, for a column that is
    not in its unit, and for a candidate or a fidelity that the table lacks.
    """

    needs: tuple[type, ...] = ()
    key_needs: tuple[type, ...] = (Functional,)
    offered: Mapping[str, Metric] = {"latency_ms": Metric("min")}

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
        fidelities: Mapping[float, Any] | None = None,
        accuracy_unit: str = "percent",
        metrics: Mapping[str, str] | None = None,
        measure: Sequence[str] = (),
        latency_table: str | None = None,
        latency_key: str = "arch",
        latency_column: str | None = None,
        wanted: Wanted = NOTHING,
    ) -> None:
        self.space, self.path = space, located(path, "job.path", "FILE.csv")
        if accuracy_unit not in UNITS:
            raise UsageError(f"job.accuracy_unit is {accuracy_unit!r}; it must be one of {', '.join(UNITS)}")
        self._unit = accuracy_unit
        given = dict(zip(COLUMNS, (reward, report, cost, parameters, multiply_adds), strict=True))
        self._further = _further(metrics or {})
        columns = {name: column for name, column in given.items() if column is not None} | self._further
        self._key, self._levels = key, _levels(Level(columns, _scale("job.cost_scale", cost_scale)), fidelities)
        names: dict[str, Metric] = {"valid_error": Metric("min"), "valid_accuracy": Metric("max")}
        names |= {n: Metric("min") for n in ("cost", "parameters", "multiply_adds") if n in columns}
        names |= {
            n: Metric("min", of="" if column == n else column.removesuffix("_ms"))
            for n, column in self._further.items()
        }
        latencies = None if latency_table is None else Latencies(latency_table, latency_key, latency_column)
        taken = looked_up(wanted, names)
        self._measuring = Measuring(measure, taken, tuple(names), Timing(), latencies)
        self._measuring.check_offered(self.offered, "job=table")
        self.metrics: Mapping[str, Metric] = {**names, **self._measuring.metrics}
        self.honours = frozenset({"fidelity"})
        self._rows: dict[float, dict[str, dict[str, float] | None]] = {}
        self._digest = ""

    def check_there(self) -> None:
        """As Placed: the path must be that of a file; a table of latencies is read."""
        check_file(self.path, "pass job.path=FILE.csv")
        self._measuring.check_there("cpu")

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError for a fidelity of which the table has no columns."""
        for fidelity in demands.fidelities:
            self._known(fidelity, "this strategy has candidates")

    def open(self, place: Place) -> Table:
        """The job itself, which reads the table when it is first asked."""
        return self

    def environment(self) -> dict[str, Json]:
        """Digests of the files."""
        self._load()
        return {"data": self._digest, **self._measuring.environment()}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One look-up each."""
        self._load()
        latencies = self._measuring.latencies
        for candidate in unit.candidates:
            genome, fidelity = self.space.to_json(candidate.proposal.genome), candidate.proposal.fidelity
            name = genome if isinstance(genome, str) else json.dumps(genome)
            if fidelity not in self._rows:
                fidelity = self._known(fidelity, f"candidate {candidate.id} is")
            rows = self._rows[fidelity]
            if name not in rows:
                raise UsageError(f"{self.path} has no row with {self._key}={name}; use the table's own space")
            row = rows[name]
            if row is None:
                failure = Failure("missing_metric", "its training failed, as the table says")
                yield Result(candidate.id, "failed", error=failure)
            elif latencies is None:
                yield Result(candidate.id, "ok", row)
            else:
                yield self._with_latency(Result(candidate.id, "ok", row), candidate, latencies)

    def _with_latency(self, found: Result, candidate: Candidate[Any], table: Latencies) -> Result:
        """The result with the genome's latency; a failure where the table lacks the genome."""
        latency = table.of(candidate.proposal.genome, self.space)
        if latency is None:
            return replace(found, status="failed", metrics={}, error=Failure("missing_metric", table.lack))
        return replace(found, metrics={**found.metrics, "latency_ms": latency})

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str:
        """The space's own."""
        space: Any = self.space
        key: str = space.function_key(genome)
        return key

    def _known(self, asked: float, who: str) -> float:
        """The table's own value of a fidelity that is asked for. Raises UsageError, which begins with `who`."""
        for fidelity in self._levels:
            if abs(fidelity - asked) < NEAR:
                return fidelity
        raise UsageError(
            f"{who} to be trained to the fidelity {asked:.6g}, for which the table has no "
            f"columns (job.fidelities has {', '.join(f'{known:.6g}' for known in self._levels)}); "
            "name them there or change the strategy's fidelities"
        )

    def _load(self) -> None:
        if self._rows:
            return
        self.check_there()
        with reading(self.path, "CSV", "pass job.path=FILE.csv, or FILE.csv.gz"):
            import pandas

            self._digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
            levels = self._levels.values()
            columns = list(dict.fromkeys([self._key, *(c for level in levels for c in level.columns.values())]))
            frame = pandas.read_csv(
                self.path, usecols=lambda name: name in columns, dtype={self._key: str}, keep_default_na=False
            )
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise UsageError(f"{self.path} has no column {', '.join(missing)}; set job.key, job.reward, ... to its own")
        names = frame[self._key]
        if names.duplicated().any():
            raise UsageError(f"{self.path} has {names[names.duplicated()].iloc[0]} in two rows; keep one of them")
        self._rows = {fidelity: self._of_level(frame, level) for fidelity, level in self._levels.items()}

    def _of_level(self, frame: pandas.DataFrame, level: Level) -> dict[str, dict[str, float] | None]:
        """The metrics of each genome at one fidelity; None for a training that failed."""
        failed = frame[level.columns["reward"]] == FAILED
        rows: dict[str, dict[str, float] | None] = dict.fromkeys(frame[self._key])
        trained = frame[~failed]
        if len(trained):
            rows |= zip(trained[self._key], self._measured(trained, level), strict=True)
        return rows

    def _measured(self, frame: pandas.DataFrame, level: Level) -> list[dict[str, float]]:
        """The metrics of each row at one fidelity."""
        import pandas

        values = {name: self._numbers(frame, name, column) for name, column in level.columns.items()}
        one = UNITS[self._unit]
        measured = {"valid_error": 1.0 - values["reward"] / one, "valid_accuracy": values["reward"] / one}
        if "report" in values:
            measured["test_error"] = 1.0 - values["report"] / one
        if "cost" in values:
            measured["cost"] = values["cost"] * level.cost_scale
        for name in ("parameters", "multiply_adds"):
            if name in values:
                measured[name] = (values[name] * 1e6).round()
        measured |= {name: values[name].astype(float) for name in self._further}
        return pandas.DataFrame(measured).to_dict("records")  # type: ignore[return-value]

    def _numbers(self, frame: pandas.DataFrame, name: str, column: str) -> pandas.Series:
        """A column as numbers. Raises UsageError for cells that are none, and for accuracies in another unit."""
        import pandas

        numbers = pandas.to_numeric(frame[column], errors="coerce")
        further = name in self._further
        fine, kind = numbers.abs() < float("inf"), "a number"
        if name == "cost":
            fine, kind = fine & (numbers > 0), "a number above 0"
        elif not further:
            fine, kind = fine & (numbers >= 0), "a number of at least 0"
        where = f"{self.path}: column {column} (job.{'metrics.' if further else ''}{name})"
        if not fine.all():
            raise UsageError(f"{where} must hold {kind} in every row")
        if name in ("reward", "report"):
            self._check_unit(numbers.max(), where)
        return numbers

    def _check_unit(self, highest: float, where: str) -> None:
        """Raises UsageError for accuracies, the highest of them given, that cannot be in the unit."""
        one, unit = UNITS[self._unit], f"job.accuracy_unit={self._unit}"
        if highest > one:
            percent = self._unit == "fraction" and highest <= UNITS["percent"]
            cure = "set job.accuracy_unit=percent" if percent else "bring the column into that unit"
            raise UsageError(f"{where} reaches {highest:g}; with {unit} no accuracy exceeds {one:g}; {cure}")
        if self._unit == "percent" and highest <= UNITS["fraction"]:
            cure = "set job.accuracy_unit=fraction if they are fractions, from 0 to 1"
            raise UsageError(f"{where} never exceeds 1, while accuracies are in percent; {cure}")


def _further(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The further metrics with their columns. Raises UsageError for names that others have, and for no columns."""
    for name, column in metrics.items():
        if not re.fullmatch("[a-z][a-z0-9_]*", str(name)) or name in (*COLUMNS, *OWN):
            taken = ", ".join((*COLUMNS, *OWN))
            raise UsageError(f"job.metrics.{name}: a metric is named in small letters, and not {taken}")
        if not isinstance(column, str):
            raise UsageError(f"job.metrics.{name} is {column!r}; it must be the name of a column")
    return dict(metrics)


def looked_up(wanted: Wanted, columns: Container[str]) -> Wanted:
    """The wanted metrics that are measured of networks, without those that are `columns` of the table.

    The job knows none of them before it evaluates.
    """
    named = dict.fromkeys([*wanted.metrics, *wanted.bounded])
    return Wanted(tuple(name for name in named if name in OF_NETWORKS and name not in columns))


def _levels(own: Level, fidelities: Mapping[float, Any] | None) -> dict[float, Level]:
    """What the table has by fidelity: the job's own columns, but for what an entry replaces. Raises UsageError."""
    if fidelities is None:
        return {1.0: own}
    levels = {}
    for fidelity, entry in fidelities.items():
        place = f"job.fidelities.{fidelity}"
        if type(fidelity) not in (int, float) or not 0 < fidelity <= 1:
            raise UsageError(f"{place}: a fidelity is a number above 0, at most 1, such as 0.06 or 1.0")
        if not isinstance(entry, Mapping):
            raise UsageError(f"{place} is {entry!r}; it must say which columns differ, such as {{reward: c10_val12}}")
        for name, value in entry.items():
            if name != "cost_scale" and name not in own.columns:
                known = ", ".join([*own.columns, "cost_scale"])
                raise UsageError(f"{place} names {name}, which it cannot replace (it can: {known})")
            if name != "cost_scale" and not isinstance(value, str):
                raise UsageError(f"{place}.{name} is {value!r}; it must be the name of a column")
        scale = _scale(f"{place}.cost_scale", entry.get("cost_scale", own.cost_scale))
        columns = {name: entry.get(name, column) for name, column in own.columns.items()}
        levels[float(fidelity)] = Level(columns, scale)
    if not levels:
        raise UsageError("job.fidelities is empty; name a fidelity, or set it to null for fidelity 1 alone")
    return levels


def _scale(place: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise UsageError(f"{place} is {value}; it must be a number above 0")
    return float(value)
