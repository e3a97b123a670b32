"""Selection pressures: whether individuals are selected for their fitness, or for behaving in new ways.

A strategy takes them in four steps. The strategy inherits the settings: `WeighedPressure` where the strategy selects
by one number, `PressureSettings` where it selects by several. The strategy keeps `Behaviours` in its state, calls
`judged` with what it was told and who lives, and selects by `losses`, or by `objectives`, of which the bonus is the
last. With pressure=fitness nothing of this has any effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from statistics import fmean, pstdev
from typing import Any

from evonas_cli.core.checks import one_of, require, whole, within
from evonas_cli.core.types import Evaluation, Json
from evonas_cli.evolution.behaviour import Behaviours, Point, remembered
from evonas_cli.evolution.curiosity import curiosity
from evonas_cli.evolution.novelty import RULES, Entry, novelty
from evonas_cli.evolution.surprise import centres, predicted, surprise

FITNESS = "fitness"


@dataclass(frozen=True, kw_only=True)
class PressureSettings:
    """Settings of the pressures, one by one as a strategy's configuration shows them; each pressure reads its own."""

    pressure: str = FITNESS
    novelty_neighbours: int = 15
    novelty_entry: str = "random"
    novelty_threshold: float = 1.0
    novelty_share: float = 0.05
    novelty_capacity: int = 1000
    surprise_clusters: int = 10
    behaviour_cell: float = 1.0


@dataclass(frozen=True, kw_only=True)
class WeighedPressure(PressureSettings):
    """The settings of a strategy that selects by one number: `rho` is the weight of fitness beside the bonus."""

    rho: float = 0.0


def _by_novelty(
    settings: PressureSettings, state: Behaviours, points: Sequence[Point], newcomers: Sequence[Point], rng: Random
) -> Behaviours:
    found = novelty(points, state.archive, settings.novelty_neighbours)
    bonus = {point.id: value for point, value in zip(points, found, strict=True)}
    entry = Entry(settings.novelty_entry, settings.novelty_threshold, settings.novelty_share, settings.novelty_capacity)
    archive = entry.grown(state.archive, [point for point in newcomers if point.id in bonus], bonus, rng)
    return replace(state, bonus=bonus, archive=archive)


def _by_surprise(
    settings: PressureSettings, state: Behaviours, points: Sequence[Point], newcomers: Sequence[Point], rng: Random
) -> Behaviours:
    expected = predicted(*state.centres) if len(state.centres) == 2 else ()
    bonus = {point.id: surprise(point.descriptor, expected) for point in points}
    before = state.centres[-1] if state.centres else ()
    now = centres([point.descriptor for point in points], before, settings.surprise_clusters, rng)
    return replace(state, bonus=bonus, centres=(*state.centres, now)[-2:] if now else ())


def _by_curiosity(
    settings: PressureSettings, state: Behaviours, points: Sequence[Point], newcomers: Sequence[Point], rng: Random
) -> Behaviours:
    known = {point.id: state.bonus.get(point.id) for point in points}
    edge = settings.behaviour_cell
    return replace(
        state, bonus={id: curiosity(id, state.traces, edge) if old is None else old for id, old in known.items()}
    )


BONUSES: Mapping[str, Callable[..., Behaviours]] = {
    "novelty": _by_novelty,
    "surprise": _by_surprise,
    "curiosity": _by_curiosity,
}
CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "pressure": partial(one_of, names=(FITNESS, *BONUSES)),
    "novelty_neighbours": partial(whole, least=1),
    "novelty_entry": partial(one_of, names=RULES),
    "novelty_threshold": partial(within, interval="[0, inf)"),
    "novelty_share": partial(within, interval="[0, 1]"),
    "novelty_capacity": partial(whole, least=0),
    "surprise_clusters": partial(whole, least=1),
    "behaviour_cell": partial(within, interval="(0, inf)"),
}
WEIGHED_CHECKS: Mapping[str, Callable[[str, object], None]] = {**CHECKS, "rho": partial(within, interval="[0, 1]")}


def check(settings: PressureSettings, population_size: int, called: str = "population_size={}") -> None:
    """Raises UsageError for settings out of range, and for more neighbours or clusters than there can be.

    `called` is what messages call the population's size, with {} for the number.
    """
    checks = WEIGHED_CHECKS if isinstance(settings, WeighedPressure) else CHECKS
    for key, allowed in checks.items():
        allowed(key, getattr(settings, key))
    most = population_size - 1 + settings.novelty_capacity
    rule = f"exceeds the {population_size - 1} others of a population and novelty_capacity={settings.novelty_capacity}"
    fits = settings.pressure != "novelty" or settings.novelty_neighbours <= most
    require(fits, "novelty_neighbours", settings.novelty_neighbours, rule)
    fits = settings.pressure != "surprise" or settings.surprise_clusters <= population_size
    rule = f"exceeds {called.format(population_size)}"
    require(fits, "surprise_clusters", settings.surprise_clusters, rule)


def judged(
    settings: PressureSettings,
    state: Behaviours,
    told: Sequence[Evaluation[Any]],
    living: Iterable[int],
    rng: Random,
) -> Behaviours:
    """The state after a generation: with those `told`, the archive or clusters, and the bonus of each of the `living`.

    The living are ids of candidates that succeeded, told now or before. Raises UsageError for a missing descriptor.
    """
    if settings.pressure == FITNESS:
        return state
    state = remembered(state, told, settings.behaviour_cell)
    points = [Point(id, state.traces[id].descriptor) for id in dict.fromkeys(living)]
    newcomers = [Point(one.id, one.descriptor) for one in told if one.losses is not None]
    return BONUSES[settings.pressure](settings, state, points, newcomers, rng)


def losses(settings: WeighedPressure, state: Behaviours, own: Mapping[int, float]) -> Mapping[int, float]:
    """By id what to select the living by in the place of their `own` losses, which are finite: smaller is better.

    -(rho z(fitness) + (1 - rho) z(bonus)), where fitness = -loss, and z is the distance from the mean in standard
    deviations among those given; 0 for all of them where they are equal.
    """
    if settings.pressure == FITNESS:
        return own
    fitness, bonus = standardised([-loss for loss in own.values()]), standardised([state.bonus[id] for id in own])
    rho = settings.rho
    return {id: -(rho * f + (1 - rho) * b) for id, f, b in zip(own, fitness, bonus, strict=True)}


def objectives(
    settings: PressureSettings, state: Behaviours, own: Mapping[int, tuple[float, ...]]
) -> Mapping[int, tuple[float, ...]]:
    """By id the losses of several objectives by which to select the living: their `own`, and last minus the bonus.

    As in Mouret's novelty-based multiobjectivization (2011).
    """
    if settings.pressure == FITNESS:
        return own
    return {id: (*losses, -state.bonus[id]) for id, losses in own.items()}


def standardised(values: Sequence[float]) -> list[float]:
    """(value - mean) / standard deviation; zeros for equal values."""
    deviation = pstdev(values) if values else 0.0
    if deviation == 0:
        return [0.0] * len(values)
    mean = fmean(values)
    return [(value - mean) / deviation for value in values]


def figures(settings: PressureSettings, state: Behaviours) -> dict[str, Json]:
    """Cells visited in the run (`coverage`), the mean bonus of the living, and for novelty the archive's size."""
    if settings.pressure == FITNESS:
        return {}
    found: dict[str, Json] = {
        "coverage": state.n_cells,
        f"mean_{settings.pressure}": fmean(state.bonus.values()) if state.bonus else None,
    }
    return {**found, "archive": len(state.archive)} if settings.pressure == "novelty" else found
