"""What `searches.measure` found, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evonas_cli.core.types import Json

WIDTH = 14
LONGEST = 100
"""Characters of a genome that are shown."""


def ways(document: Mapping[str, Any]) -> Iterator[str]:
    """A line for each way: its times, its program's width, its best candidate."""
    yield f"{'':<{WIDTH}}  seconds           range  no start  per hour  program  failed    best"
    for name, way in document["ways"].items():
        span = f"{way['least_seconds']:.1f}-{way['most_seconds']:.1f}"
        best = _percent(way["best_valid_accuracy"])
        yield (
            f"{name:<{WIDTH}}{way['seconds']:9.1f}{span:>16}{way['searching_seconds']:10.1f}"
            f"{way['trainings_per_hour']:10,.0f}{way['widest_program']:9d}{way['failed']:8d}{best:>8}"
        )
    yield "seconds: the whole command, with the start of Python and workers; program: networks side by side, at most"


def candidates(document: Mapping[str, Any]) -> Iterator[str]:
    """A line for each candidate: accuracy in % and loss in nats an image in every way, and its genome."""
    names = list(document["ways"])
    half = WIDTH * len(names)
    yield f"    {'validation accuracy, %':^{half}}{'validation loss, nats':^{half}}".rstrip()
    yield f"{'id':>4}{''.join(f'{name:>{WIDTH}}' for name in names * 2)}   genome"
    for each in document["candidates"]:
        accuracy = "".join(f"{_percent(each['valid_accuracy'][name]):>{WIDTH}}" for name in names)
        loss = "".join(f"{_number(each['valid_loss'][name], 4):>{WIDTH}}" for name in names)
        yield f"{each['id']:>4}{accuracy}{loss}   {genome(each['genome'])}"


def agreements(document: Mapping[str, Any]) -> Iterator[str]:
    """How far each way is from the first one."""
    base = next(iter(document["ways"]))
    yield f"{f'beside {base}':<30}{'largest':>10}{'median':>10}{'near':>10}{'Spearman':>10}"
    for metric, others in document["agreement"].items():
        times, unit = (100, "%") if metric == "valid_accuracy" else (1, "nats")
        for name, found in others.items():
            apart = "".join(f"{_number(found[key], 4, times):>10}" for key in ("largest", "median"))
            near = f"{found['within']}/{found['compared'] + found['one_failed']}"
            yield f"{unit + ', ' + name:<30}{apart}{near:>10}{_number(found['rank_correlation'], 4):>10}"
        yield f"near: within {times * next(iter(others.values()))['near']:g} {unit}; who failed one way only is not"


def genome(value: Json) -> str:
    """Genes by name in short, anything else as far as it fits."""
    if isinstance(value, Mapping):
        return ", ".join(
            f"{name} {gene:.3g}" if isinstance(gene, float) else f"{name} {gene}" for name, gene in value.items()
        )
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def machine(described: Mapping[str, Any]) -> Sequence[str]:
    """What was measured on."""
    return [f"{key}: {value}" for key, value in described.items()]


def _percent(share: float | None) -> str:
    return _number(share, 2, 100)


def _number(value: float | None, digits: int, times: int = 1) -> str:
    return "-" if value is None else f"{times * value:.{digits}f}"
