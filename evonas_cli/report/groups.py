"""Which runs may be compared, and what is a group: runs that differ in nothing but their seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.types import Json, Objective
from evonas_cli.report.curves import Axis, Track
from evonas_cli.report.patterns import Patterns

FREE = ("strategy", "window")
"""Keys in which groups may always differ: they are what is compared."""

COMPUTE = "evaluator.threads"
"""Ignored: it may change last bits, not the experiment. On the axis of seconds it counts as a difference."""


@dataclass(frozen=True)
class Sample:
    """One run as a comparison sees it. `choices` are the names chosen for the groups of the configuration.

    `objectives` are those of its front, of which its strategy `chooses` by the first, by all, or by none. `sizes` are
    the parameters of its candidates in the order of the track (None: not measured); `patterns` is what a run of human
    patterns has measured, None for every other run. `subjects` says by name what objectives are of (`Metric.of`).
    """

    name: str
    seed: int
    identity: Mapping[str, Json]
    choices: Mapping[str, str]
    track: Track
    environment: Mapping[str, Json] = field(default_factory=dict)
    finished: bool = True
    objectives: tuple[Objective, ...] = ()
    chooses: str = "first"
    sizes: tuple[float | None, ...] = ()
    patterns: Patterns | None = None
    subjects: Mapping[str, str] = field(default_factory=dict)

    @property
    def strategy(self) -> str:
        """The strategy's chosen name."""
        return self.choices.get("strategy", str(self.identity.get("strategy._target_")).rpartition(".")[2])


@dataclass(frozen=True)
class Group:
    """Runs of one configuration, ordered by seed; `settings` are the keys in which groups of its strategy differ."""

    label: str
    strategy: str
    settings: Mapping[str, Json]
    runs: Sequence[Sample]

    @property
    def seeds(self) -> list[int]:
        """The runs' seeds, ascending."""
        return [run.seed for run in self.runs]


def group(samples: Sequence[Sample], vary: Sequence[str] = (), axis: Axis = "trainings") -> list[Group]:
    """Groups by everything but the seed, in the order of first appearance. Raises RunError in one line for runs that
    differ where neither the comparison nor `vary` allows it, for a run counted twice, and for other data."""
    if not samples:
        raise RunError("there is no run to compare; name runs, or a folder that holds some")
    known = {key for sample in samples for key in sample.identity}
    for prefix in vary:
        if not any(_named(key, (prefix,)) for key in known):
            raise UsageError(f"--vary {prefix!r} is no key of these runs; name one, such as {min(known)}, or a group")
    ignored = {"seed"} if axis == "seconds" else {"seed", COMPUTE}
    by_key: dict[str, list[Sample]] = {}
    for sample in samples:
        own = {key: value for key, value in sample.identity.items() if key not in ignored}
        by_key.setdefault(json.dumps(own, sort_keys=True), []).append(sample)
    members = [sorted(found, key=lambda sample: sample.seed) for found in by_key.values()]
    keys = _differing([found[0] for found in members], ignored)
    _check_comparable(members, [key for key in keys if not _named(key, (*FREE, *vary))])
    _check_once(members)
    _check_data(samples)
    settings = [_settings(found[0], members, keys, vary) for found in members]
    labels = _labels([found[0] for found in members], settings)
    return [
        Group(label, found[0].strategy, own, found) for label, found, own in zip(labels, members, settings, strict=True)
    ]


def _named(key: str, prefixes: Sequence[str]) -> bool:
    return any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)


def _differing(samples: Sequence[Sample], ignored: set[str]) -> list[str]:
    """Keys whose value is not the same everywhere; one that a run lacks counts as null."""
    keys = sorted({key for sample in samples for key in sample.identity} - ignored)
    first = samples[0].identity
    return [key for key in keys if any(sample.identity.get(key) != first.get(key) for sample in samples)]


def _check_comparable(members: Sequence[Sequence[Sample]], refused: Sequence[str]) -> None:
    if not refused:
        return
    first = members[0][0]
    other = next(m[0] for m in members if any(m[0].identity.get(k) != first.identity.get(k) for k in refused))
    shown = [
        f"{key}: {shorten(first.identity.get(key))} and {shorten(other.identity.get(key))}"
        for key in refused
        if first.identity.get(key) != other.identity.get(key)
    ]
    more = f"; and {len(shown) - 8} more keys" if len(shown) > 8 else ""
    raise RunError(
        f"{first.name} and {other.name} are no comparable experiments ({'; '.join(shown[:8])}{more}); "
        f"leave one out, or pass --vary {refused[0].partition('.')[0]} if this is what you compare"
    )


def _check_once(members: Sequence[Sequence[Sample]]) -> None:
    for found in members:
        for one, other in pairwise(found):
            if one.seed == other.seed:
                raise RunError(
                    f"{one.name} and {other.name} are the same experiment with the same seed {one.seed}, "
                    "which would count twice; leave one out"
                )


def _check_data(samples: Sequence[Sample]) -> None:
    """Runs of one seed and one dataset configuration must have had the same data, by its digest."""
    seen: dict[str, Sample] = {}
    for sample in samples:
        dataset = {key: value for key, value in sample.identity.items() if key.startswith("dataset.")}
        first = seen.setdefault(json.dumps([sample.seed, dataset], sort_keys=True), sample)
        if first.environment.get("data") != sample.environment.get("data"):
            raise RunError(
                f"{first.name} and {sample.name} have the same seed but other data (their digests differ); "
                "compare runs on the same files"
            )


def _settings(
    sample: Sample, members: Sequence[Sequence[Sample]], keys: Sequence[str], vary: Sequence[str]
) -> dict[str, Json]:
    """What tells this group from the others of its strategy, and what was varied by name."""
    alike = _differing([found[0] for found in members if found[0].strategy == sample.strategy], set())
    shown = [key for key in keys if key in alike or (_named(key, vary) and not _named(key, FREE))]
    settings: dict[str, Json] = {}
    for key in shown:
        part = key.partition(".")[0]
        if part in sample.choices and f"{part}._target_" in shown:
            settings[part] = sample.choices[part]
        else:
            settings[key] = sample.identity.get(key)
    return settings


def _labels(firsts: Sequence[Sample], settings: Sequence[Mapping[str, Json]]) -> list[str]:
    """Short names; where they would be the same, a number tells them apart."""
    labels: list[str] = []
    for sample, own in zip(firsts, settings, strict=True):
        words = [sample.strategy, *(f"{key}={shorten(value)}" for key, value in own.items())]
        label = " ".join(words)
        same = sum(other == label or other.startswith(f"{label} #") for other in labels)
        labels.append(f"{label} #{same + 1}" if same else label)
    return labels


def shorten(value: Json) -> str:
    """A value of the configuration in few characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.rpartition(".")[2] if text.startswith("evonas_cli.") else text
    return text if len(text) <= 40 else f"{text[:37]}..."


def subjects_of(samples: Sequence[Sample]) -> dict[str, str]:
    """What metrics are of where their names do not say so, by name, with commas between what differs."""
    found: dict[str, dict[str, None]] = {}
    for sample in samples:
        for name, of in {**sample.subjects, sample.track.metric: sample.track.of}.items():
            found.setdefault(name, {}).update({of: None} if of else {})
    return {name: ", ".join(known) for name, known in found.items() if known}
