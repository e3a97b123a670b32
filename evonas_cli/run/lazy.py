"""An evaluator that starts on its first submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.protocols import Computing, Strategy
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.run import contracts
from evonas_cli.store.throughput import Meter


class Started:
    """An evaluator that is started on its first submission and then checked against the run's environment.

    The environment is that of the job, with what `strategy` says of its own. `meter`, once there is one, is told what
    goes in and comes back; `submitted` is called when something has gone in.
    """

    def __init__(
        self, evaluator: Evaluator[Any], strategy: Strategy[Any, Any], check: Callable[[dict[str, Json]], None]
    ) -> None:
        self.evaluator, self.strategy, self.check = evaluator, strategy, check
        self.running = False
        self.meter: Meter | None = None
        self.submitted: Callable[[], None] = lambda: None
        self._under_way: dict[int, tuple[int, ...]] = {}

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""
        return self.evaluator.slots

    def in_flight(self) -> list[list[int]]:
        """The ids of candidates that were submitted and have not come back, by unit, in the order of submission."""
        under_way = dict(self._under_way)  # one step, since the thread of a board may ask meanwhile
        units = dict.fromkeys(under_way.values())
        return [[id for id in unit if id in under_way] for unit in units]

    def start(self) -> dict[str, Json]:
        """Starts at once."""
        environment = self.evaluator.start()
        contracts.check_environment(environment)
        self.running = True
        return environment | (self.strategy.environment() if isinstance(self.strategy, Computing) else {})

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        """Passes on, after starting where needed."""
        self.ready()
        return self.evaluator.units(asked)

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        """Passes on, after starting where needed."""
        self.ready()
        if self.meter is not None:
            self.meter.submitted(units)
        for unit in units:
            ids = tuple([candidate.id for candidate in unit.candidates])
            self._under_way.update((id, ids) for id in ids)
        self.evaluator.submit(units)
        self.submitted()

    def ready(self) -> None:
        """Starts where needed, and checks."""
        if not self.running:
            self.check(self.start())

    def collect(self) -> list[Result]:
        """Passes on."""
        results = self.evaluator.collect()
        if self.meter is not None:
            self.meter.returned(results)
        for result in results:
            self._under_way.pop(result.id, None)
        return results

    def close(self) -> None:
        """Passes on."""
        self.evaluator.close()
