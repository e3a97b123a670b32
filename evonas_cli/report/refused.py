"""How many candidates each constraint of a run has kept out."""

from __future__ import annotations

from evonas_cli.core.gate import violated
from evonas_cli.report.reading import Reading


def refused(reading: Reading) -> dict[str, int]:
    """For each constraint, as it is written, the candidates that violate it; in the order of the configuration.

    A candidate that violates several is counted for each of them. Candidates that were refused before training have in
    their journal lines what was known of them; candidates that were evaluated have what was measured. Candidates of
    further jobs are no matter of constraints.
    """
    constraints = reading.parts.constraints
    counts = {str(constraint): 0 for constraint in constraints}
    for entry in reading.journal:
        for constraint in violated(entry["metrics"], constraints) if not entry.get("job") else ():
            counts[str(constraint)] += 1
    return counts
