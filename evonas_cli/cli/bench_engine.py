"""`evonas bench engine`: how fast this machine trains populations, beside today's practice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from evonas_cli.cli.common import AsJson, print_json, say

ROUNDS = {"quick": 3, "normal": 5, "full": 9}
QUICK = ("feeding", "small_cnn", "mlp")


def engine(
    quick: Annotated[bool, typer.Option("--quick", help="Three rows, 3 rounds.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All rows, 9 rounds instead of 5.")] = False,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, or auto: CUDA where there is one.")] = "auto",
    rows: Annotated[str | None, typer.Option("--rows", help="Names of rows, with commas between them.")] = None,
    json: AsJson = False,
) -> int:
    """Train populations with the engine and, in the same run, as people do today; print samples a second and ratios.

    (a) is a DataLoader of torchvision items and a plain loop, (b) the best loop that trains one network after the other
    on resident data; both may use all cores. Ratios are taken within a round; medians are printed, with the range.
    """
    from evonas_cli.bench import rounds
    from evonas_cli.bench.workloads import WORKLOADS
    from evonas_cli.core.errors import UsageError
    from evonas_cli.training.device.setup import has_bf16, resolve

    if quick and full:
        raise UsageError("--quick and --full contradict each other; drop one of them")
    known = ["feeding", *(workload.name for workload in WORKLOADS)]
    chosen = [name.strip() for name in rows.split(",")] if rows else list(QUICK) if quick else known
    wrong = [name for name in chosen if name not in known]
    if wrong:
        raise UsageError(f"--rows: there is no row {wrong[0]!r}; there are {', '.join(known)}")
    found_device = resolve(device, True, 1)
    kind = found_device.type
    count = ROUNDS["quick" if quick else "full" if full else "normal"]
    found: list[dict[str, Any]] = []
    described = rounds.machine(kind)
    if not json:
        say("\n".join(f"{key}: {value}" for key, value in described.items()))
        say(f"medians of {count} rounds; samples a second, ratios with their range\n")
    if "feeding" in chosen:
        found.append(rounds.feeding(count, kind))
        _show(found[-1], json)
    for row in rounds.measure(chosen, count, kind, has_bf16(found_device)):
        found.append(dict(row))
        _show(found[-1], json)
    if json:
        print_json(document(found, described))
    return 0


def document(rows: list[dict[str, Any]], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Ratios, rates in samples a second and shares of the peak, each by row."""
    return {
        "ratios": {row["name"]: row["ratios"] for row in rows},
        "absolute": {row["name"]: row["absolute"] for row in rows},
        "share_of_peak": {row["name"]: row["share_of_peak"] for row in rows if row["share_of_peak"]},
        "machine": dict(machine),
    }


def _show(row: Mapping[str, Any], json: bool) -> None:
    if not json:
        say("\n".join(lines(row)), flush=True)


def lines(row: Mapping[str, Any]) -> Iterator[str]:
    """A row as people read it."""
    yield row["name"]
    for name, rate in row["absolute"].items():
        shown = [
            f"{ratio['median']:6.2f} x {key.rpartition(' / ')[2]} ({ratio['least']:.2f}-{ratio['most']:.2f})"
            for key, ratio in row["ratios"].items()
            if key.startswith(f"{name} / ")
        ]
        share = row["share_of_peak"].get(name)
        peak = f"   {share:.2g} of the peak" if share is not None else ""
        yield f"  {name:<22}{rate:12,.0f}   {'   '.join(shown)}{peak}"
