"""Early stopping of trainings by extrapolated learning curves (after Domhan, Springenberg and Hutter, IJCAI 2015).

    the first `full` candidates are trained in full; each later one in stages: to `start` of its epochs, then `every`
    further; after each stage a power law is fitted to its curve, and the candidate is stopped if the probability that
    its final loss is below the best final loss so far is smaller than `probability`

The law is a + b t^-c (`evolution/power_law.py`), where the paper takes a mixture of eleven curves by Markov chains. A
training continues from its weights, so that no epoch is paid twice.

Beside the paper: of the candidates that are stopped, a share `audit` is trained to the end nevertheless. An audited one
that ends below the best loss at its stop was stopped wrongly; the figures count these, and the regret: by how much the
best audited candidate beats the best of all that were let through. Genomes come from a `proposer`, which is told the
final loss of those trained in full and the last measured loss of those stopped (`evolution/supply.py`). A step is one
training stage: under a window above 1 several candidates are in flight, and the best loss is that of those told so far.

With `predictor=lstm` a network that learns from this search's full trainings forecasts in the place of the law
(`surrogates/curve_lstm.py`: the Meta-LSTM of Rawal and Miikkulainen, 2018). The proposer is then told what was forecast
of those stopped. Of each candidate that was judged and came to its end the figures compare the first forecasts with the
final loss; such candidates are those that were let through, and the audited ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import ceil
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import one_of, require, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import INNER, Computing, Particular, Space, Strategy
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.evolution.finished_curves import Finished, Points
from evonas_cli.evolution.power_law import LEAST_POINTS, Law, below, fitted
from evonas_cli.evolution.promotion import ROUNDING
from evonas_cli.evolution.supply import Supply, check_proposer, demanded, draw, outcome, settle
from evonas_cli.surrogates.curve_lstm import LEAST_CURVES, CurveLstm, trained
from evonas_cli.surrogates.environment import environment


@dataclass(frozen=True, slots=True)
class Training(Generic[G]):
    """A candidate on its way: its genome and number in the supply, the index of the fidelity that it is trained to, and
    its curve so far as (epoch, loss). `id` is that of its last training (None: it has none).

    `stopped` is, for one that is audited, the best final loss at its stop. `forecasts` are the first ones made with
    `predictor=lstm`, in the order of FORECASTS.
    """

    serial: int
    genome: G
    stage: int
    points: Points = ()
    id: int | None = None
    stopped: float | None = None
    forecasts: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """What the rule has saved, and what it has cost. `trained` and `spared` are in full trainings."""

    finished: int = 0
    stopped: int = 0
    audited: int = 0
    wrong: int = 0
    trained: float = 0.0
    spared: float = 0.0


@dataclass(frozen=True, slots=True)
class Watch(Generic[G]):
    """Candidates in flight, in the order of asking, and those that wait for their next stage, oldest first.

    `best` is the least final loss of those that the rule let through, with its candidate `leader`; `audited` is that of
    the audited ones. `finished` is empty unless `predictor=lstm`.
    """

    supply: Supply[G]
    flight: tuple[Training[G], ...] = ()
    waiting: tuple[Training[G], ...] = ()
    best: float | None = None
    leader: int | None = None
    audited: float | None = None
    count: Count = Count()
    finished: Finished = field(default_factory=Finished)


@dataclass(frozen=True, kw_only=True)
class Extrapolation(Generic[G]):
    """Trains in stages and stops what, by its learning curve, can hardly become the best (after Domhan et al., 2015).

    `proposer` is the strategy that proposes genomes. `metric` is the column of the curves that is extrapolated, which
    must be the first objective. `margin`, in its unit, is added to the deviation of the forecast.
    """

    space: Space[G]
    proposer: Strategy[G, Any]
    metric: str = "valid_error"
    full: int = 1
    start: float = 0.25
    every: float = 0.125
    probability: float = 0.05
    margin: float = 0.01
    audit: float = 0.1
    predictor: str = "power_law"
    lstm_epochs: int = 100

    def __post_init__(self) -> None:
        whole("full", self.full, least=1)
        one_of("predictor", self.predictor, names=("power_law", "lstm"))
        whole("lstm_epochs", self.lstm_epochs, least=1)
        rule = f"is too few full trainings for predictor=lstm to learn from; there must be {LEAST_CURVES} at least"
        require(not self._learns or self.full >= LEAST_CURVES, "full", self.full, rule)
        within("start", self.start, interval="(0, 1)")
        within("every", self.every, interval="[0.001, 1]")
        within("probability", self.probability, interval="(0, 1)")
        within("margin", self.margin, interval="(0, inf)")
        within("audit", self.audit, interval="[0, 1]")
        check_proposer(self.proposer)

    @cached_property
    def _stages(self) -> tuple[float, ...]:
        """Fidelities in ascending order, the last one 1."""
        later = ceil((1 - self.start) / self.every - ROUNDING)
        return (*[self.start + stage * self.every for stage in range(later)], 1.0)

    @property
    def demands(self) -> Demands:
        """The proposer's, and of the job stages that continue each other, the first with LEAST_POINTS epochs."""
        own = Demands(fidelities=self._stages, continues=True, stages=len(self._stages), curve=LEAST_POINTS)
        return demanded(self.proposer, own)

    @property
    def least_evaluations(self) -> int:
        """Those that are trained in full, and a first one that is not."""
        return self.full + 1

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError where the first objective is not the metric, or is to be maximised."""
        first = objectives[0]
        if first.name != self.metric or first.direction != "min":
            raise UsageError(
                f"strategy Extrapolation extrapolates {self.metric} and stops by it, but the first objective is "
                f"{first.name} ({first.direction}); set strategy.metric to the first objective, one to minimise"
            )
        if isinstance(self.proposer, Particular):
            self.proposer.check_objectives(objectives)

    def environment(self) -> dict[str, Json]:
        """The proposer's, and what the bits of the network depend on."""
        theirs = self.proposer.environment() if isinstance(self.proposer, Computing) else {}
        return {**theirs, **(environment() if self._learns else {})}

    def init(self, rng: Random) -> tuple[Watch[G], INNER]:
        """No candidate yet."""
        inner: Any = self.proposer.init(rng)
        return Watch(Supply()), inner

    def ask(self, state: tuple[Watch[G], INNER], rng: Random) -> tuple[list[Proposal[G]], tuple[Watch[G], INNER]]:
        """The next stage of the oldest candidate that waits, or another candidate."""
        watch, inner = state
        if watch.waiting:
            training, *waiting = watch.waiting
            fidelity = self._stages[training.stage]
            asked = Proposal(training.genome, fidelity=fidelity, continues=training.id, operator="stage")
            if training.id is not None:
                asked = replace(asked, parents=(training.id,))
            return [asked], (replace(watch, waiting=tuple(waiting), flight=(*watch.flight, training)), inner)
        drawn, inner, supply = draw(self.proposer, inner, watch.supply, rng)
        if drawn is None:
            return [], (replace(watch, supply=supply), inner)
        stage = len(self._stages) - 1 if drawn.serial < self.full else 0
        training = Training(drawn.serial, drawn.genome, stage)
        watch = replace(watch, supply=supply, flight=(*watch.flight, training))
        return [drawn.proposal(self._stages[stage])], (watch, inner)

    def tell(self, state: tuple[Watch[G], INNER], told: Sequence[Evaluation[G]], rng: Random) -> tuple[Watch[G], INNER]:
        """A candidate that can hardly become the best is stopped; the others wait for their next stage."""
        watch, inner = state
        for evaluation in told:
            training, *flight = watch.flight
            watch = replace(watch, flight=tuple(flight))
            watch, ended = self._judged(watch, training, evaluation, rng)
            if ended is not None:
                settled = {training.serial: outcome(ended)}
                inner, supply = settle(self.proposer, inner, watch.supply, settled, rng)
                watch = replace(watch, supply=supply)
        return watch, inner

    def population(self, state: tuple[Watch[G], INNER]) -> tuple[int, ...]:
        """The best candidate trained in full, and those that wait for their next stage."""
        watch = state[0]
        waiting = [training.id for training in watch.waiting if training.id is not None]
        return tuple([*([] if watch.leader is None else [watch.leader]), *waiting])

    def keeps(self, state: tuple[Watch[G], INNER]) -> tuple[int, ...]:
        """Those that wait for their next stage."""
        return tuple([training.id for training in state[0].waiting if training.id is not None])

    def figures(self, state: tuple[Watch[G], INNER]) -> Mapping[str, Json]:
        """Candidates that came to an end, those of them stopped, audited, and audited and found wrongly stopped; the
        share of epochs saved; the regret in the metric's unit (None without an audited one). With `predictor=lstm` the
        mean absolute error of its forecasts, beside that of the power law and of taking the last loss."""
        watch, count = state[0], state[0].count
        whole = count.trained + count.spared
        regret = None
        if watch.audited is not None and watch.best is not None:
            regret = max(0.0, watch.best - watch.audited)
        return {
            "finished": count.finished,
            "stopped": count.stopped,
            "audited": count.audited,
            "wrongly_stopped": count.wrong,
            "epochs_saved": count.spared / whole if whole else 0.0,
            "regret": regret,
            **(watch.finished.figures() if self._learns else {}),
        }

    def _judged(
        self, watch: Watch[G], training: Training[G], told: Evaluation[G], rng: Random
    ) -> tuple[Watch[G], Evaluation[G] | None]:
        """After a stage: what is known then, and what the proposer is told of a candidate that has come to its end."""
        reached = self._stages[training.stage]
        if told.losses is None:
            before = self._stages[training.stage - 1] if training.stage and training.id is not None else 0.0
            return _with(watch, finished=1, trained=max(before, reached)), told
        points = (*training.points, *self._curve(told))
        if reached == 1.0:
            if self._learns and points:
                watch = replace(watch, finished=watch.finished.with_curve(points, training.forecasts))
            return self._finished(watch, training, told.id, told.losses[0]), told
        training = replace(training, id=told.id, points=points)
        law = self._law(watch.finished, points)
        epochs = points[-1][0] / reached if points else 0.0
        if self._learns and law is not None and training.forecasts is None:
            training = replace(training, forecasts=(law.at(epochs), fitted(points).at(epochs), points[-1][1]))
        hope = 1.0 if watch.best is None or law is None else below(law, epochs, watch.best, self.margin)
        if watch.best is not None and law is not None and hope < self.probability:
            watch = _with(watch, stopped=1)
            if rng.random() >= self.audit:
                ended = replace(told, losses=(law.at(epochs), *told.losses[1:])) if self._learns else told
                return _with(watch, finished=1, trained=reached, spared=1.0 - reached), ended
            training = replace(training, stage=len(self._stages) - 1, stopped=watch.best)
        else:
            training = replace(training, stage=training.stage + 1)
        return replace(watch, waiting=(*watch.waiting, training)), None

    def _finished(self, watch: Watch[G], training: Training[G], id: int, loss: float) -> Watch[G]:
        """After a full training, which counts as the rule's own unless the rule had stopped it."""
        watch = _with(watch, finished=1, trained=1.0)
        if training.stopped is not None:
            least = loss if watch.audited is None else min(loss, watch.audited)
            return _with(replace(watch, audited=least), audited=1, wrong=int(loss < training.stopped))
        if watch.best is None or loss < watch.best:
            return replace(watch, best=loss, leader=id)
        return watch

    def _law(self, finished: Finished, points: Points) -> Law | None:
        """The forecast, that of the network as a law that is constant; None where some epoch had no finite loss, or too
        few trainings that came to their end have losses at these epochs."""
        if len(points) < LEAST_POINTS:
            return None
        if not self._learns:
            return fitted(points)
        curves, finals = finished.prefixes(points)
        if len(curves) < LEAST_CURVES:
            return None
        network = _network(curves, finals, self.lstm_epochs)
        return Law(network.predict([loss for _, loss in points]), 0.0, 1.0, network.deviation)

    @property
    def _learns(self) -> bool:
        return self.predictor == "lstm"

    def _curve(self, told: Evaluation[G]) -> Points:
        """The measured points of a stage. Raises UsageError for a job without such curves."""
        if self.metric not in told.curves or "epoch" not in told.curves:
            known = ", ".join(sorted(told.curves)) or "none"
            raise UsageError(f"strategy.metric={self.metric}: the job's curves have no such column (known: {known})")
        pairs = zip(told.curves["epoch"], told.curves[self.metric], strict=True)
        return tuple([(float(epoch), float(loss)) for epoch, loss in pairs if epoch is not None and loss is not None])


@lru_cache(maxsize=32)
def _network(curves: tuple[tuple[float, ...], ...], finals: tuple[float, ...], epochs: int) -> CurveLstm:
    """Several candidates are judged between two full trainings."""
    return trained(curves, finals, epochs)


def _with(watch: Watch[G], finished: int = 0, stopped: int = 0, audited: int = 0, wrong: int = 0,
          trained: float = 0.0, spared: float = 0.0) -> Watch[G]:  # fmt: skip
    """With so much more counted."""
    count = watch.count
    decided = count.finished + finished, count.stopped + stopped, count.audited + audited, count.wrong + wrong
    return replace(watch, count=Count(*decided, count.trained + trained, count.spared + spared))
