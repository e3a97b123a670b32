"""The end of a pool whose time is over: workers stop their units at an epoch's end, or as they are if none comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import Unit
from evonas_cli.evaluation.transport import Broken, Finished, Reported, Transport, Warned, Worker


def ended(
    transport: Transport, busy: Sequence[tuple[Worker, Unit[Any]]], deadline: Deadline | None, before: Ended
) -> Ended:
    """Waits until `deadline.latest` for workers that evaluate units; what these become, beside what ended `before`.

    A unit whose worker has told nothing by then, or died, stopped within an epoch; closing the worker ends it. Raises
    what a worker tells of the machine, such as a full disk.
    """
    left, found = dict(busy), before
    while left and deadline is not None and (seconds := deadline.grace) > 0:
        for worker, event in transport.wait(list(left), seconds):
            if isinstance(event, Reported | Warned):
                continue  # nobody follows a training that ends
            unit = left.pop(worker)
            if isinstance(event, Broken):
                raise event.error(event.text)
            if isinstance(event, Finished):
                found = replace(found, results=[*found.results, *event.results])
                found = found.and_halted(event.halted, event.within)
            else:
                found = found.and_halted([candidate.id for candidate in unit.candidates], within=True)
    for unit in left.values():
        found = found.and_halted([candidate.id for candidate in unit.candidates], within=True)
    return found
