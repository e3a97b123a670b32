"""The values that strategies, spaces, jobs and evaluators exchange."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar, dataclass_transform

G = TypeVar("G")
T = TypeVar("T")

Json: TypeAlias = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Curves: TypeAlias = Mapping[str, Sequence[float | None]]
"""Columns of numbers by name, all of one length: a row for each epoch that was measured. None stands for no finite
number."""
Descriptor: TypeAlias = tuple[float, ...]
"""A behaviour as a point, in units of which one makes a notable difference; behaviours differ by Euclidean distance."""
Status: TypeAlias = Literal["ok", "failed"]
Direction: TypeAlias = Literal["min", "max"]
LOST = "lost"
"""The kind of failure of a candidate that continues another whose state is not there; it is never recorded."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A dataclass with slots for what is made anew at each evaluation: as if frozen, which type checkers enforce.

    Python itself would enforce it by a call for each field, which takes a tenth of the time of a look-up in a table.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@value
class Proposal(Generic[G]):
    """What a strategy asks to have evaluated.

    `fidelity` is the fraction (0, 1] of the full training; `continues` names the candidate whose trained weights this
    one starts from; `job` names a job other than the run's own; `parents` are candidate ids and `operator` the name of
    the variation that made the genome, both for the log; `options` goes to the job as it is. The train job takes
    {"start": "weights"}: of what it continues the candidate takes the weights alone and trains its own full epochs.
    `again` asks for a measurement of its own where an equal candidate already has one.
    """

    genome: G
    job: str = ""
    fidelity: float = 1.0
    continues: int | None = None
    parents: tuple[int, ...] = ()
    operator: str = ""
    options: Json = None
    again: bool = False


@value
class Candidate(Generic[G]):
    """A proposal with its place in the run: ids count from 0 in order of asking; `seed` derives from run seed, id."""

    id: int
    step: int
    seed: int
    proposal: Proposal[G]


@value
class Origin:
    """What a run has recorded of a candidate that another one continues: its seed, its epochs (None: not measured) and
    the checksum of the state that it kept (None: a version that made none)."""

    seed: int
    epochs: float | None = None
    state: str | None = None


@value
class Heir(Candidate[G]):
    """A candidate that continues another, on its way to a job. Should the other's state be lost, the job fails with
    LOST, and the other one is trained again."""

    origin: Origin


@value
class Unit(Generic[G]):
    """Candidates that are evaluated together, as one program of `width` places, or at width 1 each as its own program.

    `places` says which of them each candidate takes; others stay empty. Width and place decide, unlike the neighbours,
    about the last bits of what comes out, so a candidate keeps its own when the unit is evaluated in part.
    """

    candidates: tuple[Candidate[G], ...]
    width: int = 1
    places: tuple[int, ...] = (0,)

    def among(self, ids: Container[int]) -> Unit[G]:
        """What is left of it."""
        if len(self.candidates) == 1:
            return self if self.candidates[0].id in ids else Unit((), self.width, ())
        left = [(c, place) for c, place in zip(self.candidates, self.places, strict=True) if c.id in ids]
        return Unit(tuple([c for c, _ in left]), self.width, tuple([place for _, place in left]))

    def bisected(self) -> list[Unit[G]]:
        """Its first and its second half of candidates; width and places stay."""
        middle = (len(self.candidates) + 1) // 2
        parts = (slice(middle), slice(middle, None))
        return [Unit(self.candidates[part], self.width, self.places[part]) for part in parts]

    def narrowed(self) -> list[Unit[G]]:
        """Programs of the lower and of the upper places, without programs of empty places."""
        middle = (self.width + 1) // 2
        halves = []
        for start, end in ((0, middle), (middle, self.width)):
            taken = [(c, p - start) for c, p in zip(self.candidates, self.places, strict=True) if start <= p < end]
            if taken:
                halves.append(Unit(tuple([c for c, _ in taken]), end - start, tuple([p for _, p in taken])))
        return halves


@dataclass(frozen=True, slots=True)
class Metric:
    """What a job says of one of its metrics: which direction is better, whether the metric is `measured`, whether it is
    one of the test part, whether it is `lasting`, and `of` what it is where its name does not say so.

    A measured metric, such as a time, may differ when the evaluation is repeated. Digests, replays and comparisons of
    bits leave it out. A metric of the test part is no objective. A measured metric that lasts, such as a latency, tells
    of the network and not of its evaluation, so that a copy of the result keeps the metric. Pictures show `of`, such as
    the device of a table of latencies, beside the metric's name.
    """

    direction: Direction
    measured: bool = False
    test: bool = False
    lasting: bool = False
    of: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a candidate has no losses: `kind` is one word for programs, `text` one line for people."""

    kind: str
    text: str


@value
class Result:
    """What evaluating a candidate gave.

    `metrics` are finite numbers by name; those that the job declares as measured are the only ones that may differ when
    the evaluation is repeated. `payload` goes back to the strategy. `seconds` is the evaluation's duration.
    `labels` are words for the log, such as the canonical hash of the network. `cached` is the candidate from which the
    result was copied; None says that it was evaluated. `curves` are columns of one length, by name, with a row for
    each epoch that was measured: {"epoch": [1, 2], "train_loss": [2.1, 1.6], "valid_error": [0.8, 0.5]}. The numbers
    of epochs count what the candidate continues, but rows are of its own epochs alone. A failed result may have curves.
    `descriptor` says how the candidate behaves, as a point: the numbers that a `Describing` job names, () without one.
    """

    id: int
    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    payload: Json = None
    error: Failure | None = None
    seconds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    cached: int | None = None
    curves: Curves = field(default_factory=dict)
    descriptor: Descriptor = ()


@dataclass(frozen=True, slots=True)
class Training:
    """How far the training of candidates `ids` is, which are one program. It is shown to people and never recorded.

    `epoch` of `epochs` is under way, counted from 1; `share`, from 0 to 1, of its steps are known to be done. `values`
    are the newest numbers by name, of several candidates those of the best one: {"train_loss": 0.61, "valid_error":
    0.12}. There are none before the first step whose loss is known.
    """

    ids: tuple[int, ...]
    epoch: int
    epochs: int
    share: float = 0.0
    values: Mapping[str, float] = field(default_factory=dict)


@value
class Evaluation(Generic[G]):
    """What a strategy is told of a candidate.

    `losses` are minimised, in the order of the run's objectives; None says that the candidate failed, or was evaluated
    by another job than the run's own. `metrics` are those of the result. `violation` is the sum of the constraints'
    relative excesses: 0 where all of them hold. `curves` are those of the result, at most 64 rows, and so is the
    behaviour `descriptor`. `parents` are those of the proposal.
    """

    id: int
    genome: G
    losses: tuple[float, ...] | None
    payload: Json = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    violation: float = 0.0
    curves: Curves = field(default_factory=dict)
    descriptor: Descriptor = ()
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to optimise. The direction is settled here, once: everything past `loss` is minimised."""

    name: str
    direction: Direction

    def loss(self, metrics: Mapping[str, float]) -> float:
        """The metric as a loss. Raises KeyError when the job did not measure it."""
        value = float(metrics[self.name])
        return -value if self.direction == "max" else value

    def metric(self, loss: float) -> float:
        """The inverse of `loss`: in the metric's own direction and unit."""
        return -loss if self.direction == "max" else loss


Bound: TypeAlias = Literal["at most", "at least"]
SIGNS: Mapping[Bound, str] = {"at most": "<=", "at least": ">="}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A metric that must be at most, or at least, a limit in the metric's own unit."""

    metric: str
    limit: float
    bound: Bound = "at most"

    def excess(self, metrics: Mapping[str, float]) -> float:
        """By how much the metric misses the limit, as a share of the limit (of 1 where the limit is 0); 0: it holds.

        Raises KeyError when the job did not measure it.
        """
        over = float(metrics[self.metric]) - self.limit
        return max(0.0, over if self.bound == "at most" else -over) / (abs(self.limit) or 1.0)

    def __str__(self) -> str:
        return f"{self.metric} {SIGNS[self.bound]} {self.limit:.12g}"
