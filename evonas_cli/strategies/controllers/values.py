"""What evolves in a policy-gradient search: weights, the baseline, and the batches that wait to be told."""

from __future__ import annotations

from dataclasses import dataclass

from evonas_cli.genomes.walk import Trace


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights, and Adam's running means of gradients and of their squares, as bytes of float64; its steps so far."""

    weights: bytes
    means: bytes
    squares: bytes
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Children of one ask, with their log-probabilities when they were sampled; `depth` is null for the space's own."""

    traces: tuple[Trace, ...]
    log_probabilities: tuple[float, ...]
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Figures of the last told step.

    `mean_reward` is None when no child had a reward. The others belong to the first epoch, before its step: entropy a
    token, norm of the gradient before clipping, and the ratio of a child's probabilities now and at sampling that is
    furthest from 1.
    """

    mean_reward: float | None
    entropy_per_token: float | None = None
    gradient_norm: float | None = None
    first_ratio: float | None = None
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The state of a policy-gradient search.

    `asked` counts children; `pending` are the batches not told yet, oldest first; `recent` the last told traces.
    """

    trained: Trained
    asked: int = 0
    baseline: float | None = None
    pending: tuple[Batch, ...] = ()
    recent: tuple[Trace, ...] = ()
    told: Told | None = None
