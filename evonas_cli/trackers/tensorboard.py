"""Scalars for TensorBoard: the best so far, the strategy's figures, each candidate, and learning curves.

`tensorboard --logdir outputs` shows all runs below a folder, with each candidate's curve as a run below the search's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.tracking import Described
from evonas_cli.core.types import Candidate, Result
from evonas_cli.trackers.installed import need

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard:
    """Event files for TensorBoard, in the run's folder `tracking`; a later session adds a file there.

    `curves`: each candidate with a learning curve has a folder `candidate-<id>` of its own, so that TensorBoard draws
    curves over each other. `seconds`: scalars wait at most so long in memory. Raises UsageError where the package
    tensorboard is missing.
    """

    def __init__(self, curves: bool, seconds: float) -> None:
        need("tensorboard", "tensorboard")
        if seconds <= 0:
            raise UsageError(f"tracker.seconds is {seconds:g}; it must be above 0")
        self._curves, self._seconds = curves, seconds
        self._writer: SummaryWriter | None = None

    def start(self, run: Described) -> bool:
        """Imports what writes."""
        from torch.utils.tensorboard import SummaryWriter

        self._make, self._run = SummaryWriter, run
        return True

    def told(self, candidate: Candidate[Any], result: Result, figures: Mapping[str, float]) -> None:
        """Figures by number of evaluations, objectives by candidate, curves by epoch."""
        if self._writer is None:
            self._writer = self._make(str(self._run.folder), flush_secs=self._seconds)
        evaluations = int(figures["evaluations"])
        for name, value in figures.items():
            if name != "evaluations":
                self._writer.add_scalar(name, value, evaluations)
        for objective in self._run.objectives if result.error is None and not candidate.proposal.job else ():
            self._writer.add_scalar(f"candidate/{objective.name}", result.metrics[objective.name], candidate.id)
        if self._curves and result.curves:
            self._draw(candidate.id, result)

    def _draw(self, id: int, result: Result) -> None:
        epochs = result.curves.get("epoch", ())
        with self._make(str(self._run.folder / f"candidate-{id}")) as writer:
            for name, column in result.curves.items():
                for epoch, value in zip(epochs, column, strict=False):
                    if name != "epoch" and epoch is not None and value is not None:
                        writer.add_scalar(f"curve/{name}", value, int(epoch))

    def end(self, status: str) -> None:
        """Writes what waits."""
        if self._writer is not None:
            self._writer.close()
