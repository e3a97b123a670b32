"""The comparison of groups of runs at an equal budget, as one document.

The runs of a group are taken as independent samples of what its configuration gives, also where two groups have the
same seeds: a seed shares the split and the order of batches, not the candidates, and a test that paired runs by seed
would claim more than that.
"""

from __future__ import annotations

import math
import statistics as plain
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.report import statistics
from evonas_cli.report.curves import AXES, Axis, Track, mean_best
from evonas_cli.report.groups import Group, Sample, group, subjects_of
from evonas_cli.report.patterns import beside, left_out, unlike
from evonas_cli.report.volumes import By, as_hypervolumes, attainment, common_reference, described, measured_by


def compare(
    samples: Sequence[Sample],
    axis: Axis | None = None,
    budget: float | None = None,
    baseline: str | None = None,
    vary: Sequence[str] = (),
    by: By | None = None,
) -> dict[str, Any]:
    """Everything that is said about the runs.

    `by` says whether they are compared by the metric of their tracks, their first objective unless another was named,
    or by the hypervolume of their fronts (`volumes.measured_by`).

    `axis` defaults to cost where every run has budget.cost, otherwise to trainings; `budget` to the largest that every
    run has reached; `baseline` to the group of the strategy `random`. Raises RunError for runs that cannot be compared,
    UsageError for an unknown baseline.
    """
    samples, baselines = _apart(samples)
    axis = axis or ("cost" if samples and all(s.track.limit is not None for s in samples) else "trainings")
    measured, more = measured_by(samples, by), {}
    if measured == "hypervolume":
        objectives, reference = samples[0].objectives, common_reference(samples)
        samples, more = [as_hypervolumes(one, reference) for one in samples], described(reference, objectives)
    groups = group(samples, vary, axis)
    track = _one_metric(samples)
    for sample in samples:
        if not sample.track.improvements():
            raise RunError(f"{sample.name} has no successful evaluation to compare; leave it out")
    _check_axis(samples, axis)
    budget = _equal_budget(samples, axis, budget)
    chosen = _baseline(groups, baseline)
    found = _described(groups, axis, budget)
    if measured == "hypervolume":
        for one, own in zip(found, groups, strict=True):
            one["attainment"] = attainment(own, [run["evaluations"] for run in one["runs"]], samples[0].objectives)
    values = [one["values"] for one in found]
    pairs = _pairs(groups, values, track, chosen)
    for place, one in enumerate(found):
        one["verdict"] = _verdict(place, groups, pairs, chosen)
    return {
        "schema": 1,
        "metric": track.metric,
        "direction": track.direction,
        "subjects": subjects_of(samples),
        "report": track.report,
        "axis": axis,
        "budget": budget,
        "baseline": None if chosen is None else groups[chosen].label,
        "remarks": [*_unfinished(samples, axis, budget), *_remarks(samples, groups, chosen, axis)],
        "by": measured,
        **more,
        "groups": found,
        "pairs": pairs,
        "patterns": _patterns(baselines, samples, found),
    }


def _apart(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    """Runs to be compared, and runs of human patterns to be set beside them: such a run is no search, so it is one of
    those compared only where there is no other."""
    searches = [sample for sample in samples if sample.patterns is None]
    return (searches, [sample for sample in samples if sample.patterns is not None]) if searches else (samples, [])


def _patterns(
    baselines: Sequence[Sample], samples: Sequence[Sample], found: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """For each run of patterns the lines about it; a run with other data or training says so in their place."""
    said = []
    for one in baselines:
        assert one.patterns is not None
        apart = unlike(one.identity, samples[0].identity)
        if apart:
            lines = [left_out(one.patterns, apart)]
        else:
            lines = list(beside(one.patterns, {group["label"]: _middle(group) for group in found}))
        said.append({"run": one.name, **asdict(one.patterns), "lines": lines})
    return said


def _middle(group: Mapping[str, Any]) -> tuple[float, float | None]:
    """The mean value of a group's runs, and the mean number of parameters of their best."""
    sizes = [run["parameters"] for run in group["runs"]]
    return group["mean"], None if None in sizes else plain.fmean(sizes)


def _one_metric(samples: Sequence[Sample]) -> Track:
    tracks = {(sample.track.metric, sample.track.direction): sample.track for sample in samples}
    if len(tracks) > 1:
        raise UsageError(f"the runs' first objectives differ ({', '.join(name for name, _ in tracks)}); give --metric")
    return samples[0].track


def _check_axis(samples: Sequence[Sample], axis: Axis) -> None:
    measured = [name for name in AXES if all(sample.track.reached(name) > 0 for sample in samples)]
    for sample in samples:
        if sample.track.reached(axis) <= 0:
            instead = f"compare along --axis {measured[0]}" if measured else "leave it out"
            raise RunError(f"{sample.name} has no {axis} to compare along; {instead}")


# A search whose strategy was done would find nothing more, so it has reached every budget.
def _equal_budget(samples: Sequence[Sample], axis: Axis, wanted: float | None) -> float:
    going = [sample for sample in samples if not sample.track.ended]
    furthest = max(sample.track.reached(axis) for sample in samples)
    least = min(going or samples, key=lambda sample: sample.track.reached(axis))
    reached = least.track.reached(axis) if going else furthest
    budget = reached if wanted is None else wanted
    if not budget > 0 or math.isinf(budget):
        raise UsageError(f"--budget is {budget:g}; it must be a number above 0")
    if budget > reached:
        stands = "ended" if least.finished else "is not finished and stands"
        remedy = "resume that run under a larger budget" if least.finished else "wait for that run or resume it"
        raise RunError(
            f"--budget {budget:g} is more than every run has reached: {least.name} {stands} at {reached:g} ({axis}); "
            f"lower it, or {remedy}"
        )
    for sample in samples:
        if sample.track.incumbent(axis, budget) is None:
            raise RunError(f"{sample.name} has no success within {budget:g} ({axis}); raise --budget or leave it out")
    return budget


def _baseline(groups: Sequence[Group], wanted: str | None) -> int | None:
    labels = [found.label for found in groups]
    if wanted is None:
        hits = [place for place, found in enumerate(groups) if found.strategy == "random"]
        if len(hits) > 1:
            shown = ", ".join(repr(labels[place]) for place in hits)
            raise UsageError(f"{len(hits)} groups are random search ({shown}); say which one with --baseline")
        return hits[0] if hits else None
    hits = [place for place, label in enumerate(labels) if label == wanted]
    hits = hits or [place for place, label in enumerate(labels) if label.startswith(wanted)]
    if len(hits) != 1:
        problem = "fits several groups" if hits else "is no group"
        raise UsageError(f"--baseline {wanted!r} {problem} (groups: {', '.join(map(repr, labels))})")
    return hits[0]


def _described(groups: Sequence[Group], axis: Axis, budget: float) -> list[dict[str, Any]]:
    start = max(run.track.steps(axis)[0][0] for found in groups for run in found.runs)
    return [_describe(found, axis, budget, start) for found in groups]


def _describe(found: Group, axis: Axis, budget: float, start: float) -> dict[str, Any]:
    runs = [_run(run, axis, budget, start) for run in found.runs]
    evaluations = sum(run["evaluations"] for run in runs)
    document = {
        "label": found.label,
        "strategy": found.strategy,
        "settings": dict(found.settings),
        "n": len(runs),
        "seeds": found.seeds,
        "evaluations": evaluations / len(runs),
        "trainings": plain.fmean(run["trainings"] for run in runs),
        "failed_share": sum(run["failed"] for run in runs) / evaluations,
        **summary([run["value"] for run in runs]),
        "area": plain.fmean(run["area"] for run in runs),
        "runs": runs,
    }
    reported = [run["report"] for run in runs]
    return document | ({"report": summary(reported)} if None not in reported else {"report": None})


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean, standard deviation (of the sample), median, bootstrap interval of the mean, and the values themselves."""
    return {
        "mean": plain.fmean(values),
        "sd": plain.stdev(values) if len(values) > 1 else None,
        "median": plain.median(values),
        "interval": statistics.interval(values),
        "values": list(values),
    }


def _run(run: Sample, axis: Axis, budget: float, start: float) -> dict[str, Any]:
    track = run.track
    count, best = track.count(axis, budget), track.incumbent(axis, budget)
    assert best is not None
    report = track.reports[best] if track.report else None
    if report is not None and math.isnan(report):
        raise RunError(f"{run.name}: candidate {best}, its best, has no metric {track.report}; choose another --report")
    return {
        "run": run.name,
        "seed": run.seed,
        "finished": run.finished,
        "evaluations": count,
        "trainings": int(track.trainings[count - 1]),
        "failed": track.failed(count),
        "incumbent": best,
        "parameters": run.sizes[best] if best < len(run.sizes) else None,
        "value": track.values[best],
        "report": report,
        "area": mean_best(track, axis, min(start, budget), budget),
        "curve": track.document(),
    }


def _pairs(
    groups: Sequence[Group], values: Sequence[Sequence[float]], track: Track, baseline: int | None
) -> list[dict[str, Any]]:
    """Every pair once, the baseline second in its own, which come first.

    Holm's correction is over the pairs with the baseline, on which the verdicts rest, and over all others apart.
    """
    places = [(b, a) if a == baseline else (a, b) for a, b in combinations(range(len(groups)), 2)]
    judged = [(a, b) for a, b in places if b == baseline]
    found = [_tested(family, groups, values, track) for family in (judged, [p for p in places if p not in judged])]
    return [pair for family in found for pair in family]


def _tested(
    places: Sequence[tuple[int, int]], groups: Sequence[Group], values: Sequence[Sequence[float]], track: Track
) -> list[dict[str, Any]]:
    """One family of pairs."""
    raw = [statistics.mann_whitney(values[a], values[b]) for a, b in places]
    least = statistics.holm([statistics.least_p(len(values[a]), len(values[b])) for a, b in places])
    return [
        {
            "a": groups[a].label,
            "b": groups[b].label,
            "n": [len(values[a]), len(values[b])],
            "p": p,
            "p_holm": corrected,
            "p_attainable": attainable,
            "a12": statistics.a12(values[a], values[b], track.direction),
        }
        for (a, b), p, corrected, attainable in zip(places, raw, statistics.holm(raw), least, strict=True)
    ]


def _verdict(
    place: int, groups: Sequence[Group], pairs: Sequence[dict[str, Any]], baseline: int | None
) -> dict[str, str] | None:
    if baseline is None or place == baseline:
        return None
    against = groups[baseline].label
    pair = next(p for p in pairs if (p["a"], p["b"]) == (groups[place].label, against))
    tests = len(groups) - 1
    word, text = statistics.verdict(pair["p_holm"], pair["a12"], tuple(pair["n"]), pair["p_attainable"], tests, against)
    return {"word": word, "text": text}


def _unfinished(samples: Sequence[Sample], axis: Axis, budget: float) -> list[str]:
    """What is said of each run that may still go on: whether the comparison leaves out some of it, or ends where it
    stands."""
    said = []
    for sample in samples:
        reached = sample.track.reached(axis)
        if not sample.finished and reached > budget:
            said.append(f"{sample.name} is not finished, but stands at {reached:g} ({axis}), beyond the equal budget")
        elif not sample.finished:
            said.append(f"{sample.name} is not finished; the equal budget of {budget:g} ({axis}) is as far as it got")
    return said


def _remarks(samples: Sequence[Sample], groups: Sequence[Group], baseline: int | None, axis: Axis) -> list[str]:
    said: list[str] = []
    if baseline is None:
        said.append("no group is random search; there is no verdict against it (another baseline: --baseline LABEL)")
    elif len(groups) == 1:
        said.append("there is one group only; a verdict needs another beside it")
    for key in sorted({key for sample in samples for key in sample.environment} - {"data", "task"}):
        seen = list(dict.fromkeys(str(s.environment[key]) for s in samples if key in s.environment))
        if len(seen) > 1:
            what = "seconds are not comparable" if axis == "seconds" else "last bits may differ"
            said.append(f"the runs were made under different environments ({key}: {', '.join(seen)}); {what}")
    return said
