"""An evaluator that starts on its first submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.protocols import Computing, Strategy
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.run import contracts
from evonas_cli.run.in_flight import InFlight
from evonas_cli.store.throughput import Meter


class Started:
    """An evaluator that is started on its first submission and then checked against the run's environment.

    The environment is that of the job, with what `strategy` says of its own. `meter`, once there is one, is told what
    goes in and comes back, and `in_flight` at all times; `submitted` is called when something has gone in.
    """

    def __init__(
        self,
        evaluator: Evaluator[Any],
        strategy: Strategy[Any, Any],
        check: Callable[[dict[str, Json]], None],
        in_flight: InFlight,
    ) -> None:
        self.evaluator, self.strategy, self.check, self.in_flight = evaluator, strategy, check, in_flight
        self.running = False
        self.meter: Meter | None = None
        self.submitted: Callable[[], None] = lambda: None

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""
        return self.evaluator.slots

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
        self.in_flight.submitted(units)
        self.evaluator.submit(units)
        self.submitted()

    def ready(self) -> None:
        """Starts where needed, and checks."""
        if not self.running:
            self.check(self.start())

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """Passes on; nothing is there where nothing was submitted because the time was over."""
        if deadline is not None and not self.running:
            return []
        results = self.evaluator.collect(deadline)
        self._returned(results)
        return results

    def stop(self) -> Ended:
        """Passes on; from then on nothing is in flight."""
        ended = self.evaluator.stop() if self.running else Ended()
        self._returned(ended.results)
        self.in_flight.clear()
        return ended

    def _returned(self, results: Sequence[Result]) -> None:
        if self.meter is not None:
            self.meter.returned(results)
        self.in_flight.returned(results)

    def close(self) -> None:
        """Passes on."""
        self.evaluator.close()
