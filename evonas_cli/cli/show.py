"""`evonas show`: a run, the table of its candidates, or one candidate with its network, its kin and its curves."""

from __future__ import annotations

import json as jsonlib
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Run,
    pace,
    print_columns,
    print_json,
    readable,
    remark,
    say,
)
from evonas_cli.core.display import visible

if TYPE_CHECKING:
    from evonas_cli.report.candidates import Rows
    from evonas_cli.report.failures import Tally
    from evonas_cli.report.reading import Reading

_WIDEST = 120
_NARROWEST = 60
_PIPE = 80
"""Columns of a drawing that no terminal shows."""
KIN = 10
"""Parents, and children, of a candidate that are named."""

TRACEBACK = "traceback.txt"
Form = Literal["table", "csv", "json"]


def show(
    run: Run,
    candidate: Annotated[
        str | None, typer.Argument(metavar="ID|best|knee", help="A candidate: its id, best or knee.")
    ] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="List so many candidates, the best first.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List all candidates, failed ones last.")] = False,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="METRIC", help="Order the list by this (default: first objective).")
    ] = None,
    format: Annotated[Form | None, typer.Option("--format", help="How to print the list.")] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Print what was printed while the candidate was evaluated.")
    ] = False,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
) -> int:
    """Show a run, its candidates as a table, or one of them.

    --sort and --format list all candidates where --top does not say how many.
    """
    from evonas_cli.core.errors import UsageError
    from evonas_cli.report.choosing import named
    from evonas_cli.report.reading import read_run

    listed = top is not None or every or sort is not None or format is not None
    if top is not None and every:
        raise UsageError("--top and --all exclude each other; leave one of them out")
    if candidate is not None and listed:
        raise UsageError(f"--top, --all, --sort and --format list candidates; leave them or {candidate} out")
    if log and candidate is None:
        raise UsageError("--log prints the log of one candidate; name it: `evonas show RUN ID --log`")
    reading = read_run(run, outputs, allow_module or [])
    if log and candidate is not None:
        return _show_log(reading, candidate, json)
    if listed:
        return _show_candidates(reading, sort, top, "json" if json else format or "table")
    if candidate is None:
        return _show_run(reading, json)
    return _show_candidate(reading, named(reading, candidate), json)


def _show_log(reading: Reading, word: str, as_json: bool) -> int:
    """What was printed while the candidate was evaluated; of one that is not recorded yet, too."""
    from evonas_cli.evaluation.printed import LOG
    from evonas_cli.report.choosing import named
    from evonas_cli.store.reading import Absent, read_bytes

    number = word.isascii() and word.isdecimal() and len(word) < 19
    id = int(word) if number and reading.run.folder(int(word)).is_dir() else named(reading, word)["id"]
    folder = reading.run.folder(id)
    try:
        text = read_bytes(folder / LOG).decode(errors="replace")
    except Absent:
        text = ""
    if as_json:
        print_json({"schema": 1, "id": id, "log": text})
        return 0
    if text:
        say(text.removesuffix("\n"))
    else:
        remark(f"evonas: candidate {id} has no log: nothing was printed while it was evaluated")
    if (folder / TRACEBACK).is_file():
        remark(f"evonas: the traceback of its error is in {folder / TRACEBACK}")
    return 0


def _show_candidates(reading: Reading, metric: str | None, top: int | None, form: Form) -> int:
    from evonas_cli.report import candidates

    rows = candidates.ordered(reading, metric, top)
    if form == "json":
        print_json(candidates.document(reading, rows))
    elif form == "csv":
        say(candidates.as_csv(reading, rows), end="")
    else:
        _print_table(reading, rows)
    return 0


def _print_table(reading: Reading, rows: Rows) -> None:
    from evonas_cli.report.candidates import columns, front_ids, state_of

    names, front = columns(reading, rows), front_ids(reading)
    table = [["id", *names, "operator", "step", "state"]]
    for entry in rows.shown:
        numbers = [readable(entry["metrics"][name]) if name in entry["metrics"] else "-" for name in names]
        state = state_of(entry, reading.parts.told, front)
        table.append([str(entry["id"]), *numbers, entry["operator"] or "-", str(entry["step"]), state])
    print_columns(table, words=(len(names) + 1,))
    if len(rows.shown) < rows.count:
        remark(f"evonas: {len(rows.shown)} of {rows.count:,} candidates; --all lists all of them")


def _show_candidate(reading: Reading, entry: dict[str, Any], as_json: bool) -> int:
    from evonas_cli.report.candidates import front_ids, kin, state_of
    from evonas_cli.report.captions import caption_lines

    family = kin(reading, entry)
    state = state_of(entry, reading.parts.told, front_ids(reading))
    if as_json:
        print_json({"schema": 1, "candidate": entry, "state": state, **family})
        return 0
    captions = caption_lines(reading, entry)
    shown_below = ("crc", "curves", "payload") if captions else ("crc", "curves")
    wide = max(15, *map(len, ["state", *entry["metrics"]]))
    say(f"{'state':<{wide}} {state}")
    for key, value in entry.items():
        if key == "metrics":
            for name, number in value.items():
                say(f"{name:<{wide}} {readable(number)}")
        elif key == "parents":
            for name, members in family.items():
                shown = [f"{one['id']} ({one['operator'] or 'unknown'})" for one in members[:KIN]]
                more = f", and {len(members) - KIN} more (--json lists them)" if len(members) > KIN else ""
                say(f"{name:<{wide}} {', '.join(shown) or 'none'}{more}")
        elif key not in shown_below:
            say(f"{key:<{wide}} {value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)}")
    _print_lines(_curves(entry, wide))
    _print_lines(captions)
    _print_lines(reading.network(entry, _width()))
    return 0


def _curves(entry: Mapping[str, Any], wide: int) -> list[str]:
    """A line for each learning curve: its blocks, its first and last value, and the least or greatest."""
    from evonas_cli.cli.sparkline import sparkline
    from evonas_cli.report.learning import curves_of

    lines = []
    for name, curve in curves_of(entry).items():
        known = curve.known()
        if known:
            last = f"{readable(known[0][1])} to {readable(known[-1][1])}, epochs {known[0][0]:g} to {known[-1][0]:g}"
            if len(known) == 1:
                last = f"{readable(known[0][1])}, epoch {known[0][0]:g}"
            lines.append(f"{name:<{wide}} {sparkline(curve.values)}  {last}")
    return lines


def _print_lines(lines: Sequence[str]) -> None:
    """An empty line, then the lines; in ASCII where stdout has nothing else."""
    from evonas_cli.report.network_text import plain

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        "".join(lines).encode(encoding)
    except UnicodeEncodeError:
        lines = plain(lines)
    if lines:
        say("\n".join(["", *lines]))


def _width() -> int:
    """Columns for a drawing: those of the terminal, within limits."""
    if not sys.stdout.isatty():
        return _PIPE
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))


def _show_run(reading: Reading, as_json: bool) -> int:
    from evonas_cli.cli.running import print_front
    from evonas_cli.report.failures import tally

    failures = tally(reading.journal)
    document = _about_run(reading, failures)
    if as_json:
        print_json({**document, **reading.front()})
        return 0
    for key, value in document.items():
        for name, text in _told(key, value, failures, len(reading.journal)):
            say(f"{name:<15} {text}")
    say()
    print_front(reading.front())
    return 0


def _about_run(reading: Reading, failures: Tally) -> dict[str, Any]:
    """The JSON document, but for the front."""
    from evonas_cli.report.candidates import violations
    from evonas_cli.report.failures import micro_batched
    from evonas_cli.report.warm import warm_started
    from evonas_cli.store.figures import read
    from evonas_cli.store.records import spared

    metadata = reading.run.metadata()
    logged = list(read(reading.run.figures))
    return {
        "schema": 1,
        "run": str(reading.run.root),
        "state": reading.run.state(),
        "evaluations": len(reading.journal),
        "cached": sum(spared(entry) for entry in reading.journal),
        "warm_started": warm_started(reading.journal),
        "micro_batched": micro_batched(reading.journal),
        "failed": failures.kinds(),
        "failures": [asdict(reason) for reason in failures.commonest()],
        "constraints": violations(reading.journal, reading.parts.constraints),
        "elapsed_seconds": reading.run.elapsed(),
        "throughput": reading.throughput(),
        "figures": logged[-1] if logged else None,
        "hypervolume": _hypervolume(reading, logged),
        **{key: metadata[key] for key in ("created", "evonas", "choices", "environment", "versions")},
    }


def _told(key: str, value: Any, failures: Tally, evaluations: int) -> Iterator[tuple[str, str]]:
    """The lines of a member of the document, each with the word before it; none for what people are not told."""
    from evonas_cli.report import failures as failed
    from evonas_cli.report.warm import in_words

    if key == "failures":
        yield from [("", f"{reason.count} {reason}") for reason in failures.commonest()]
    elif key == "constraints":
        for one in value:
            counts = f"{one['refused']} refused before training, {one['violated']} violate it"
            yield key, f"{one['constraint']}: {counts}"
    elif key == "figures" and value is not None:
        yield key, _words(value)
    elif key == "hypervolume" and value is not None:
        point = ", ".join(f"{name} {readable(number)}" for name, number in value["reference"].items())
        yield key, f"{readable(value['value'])} up to {point}"
    elif key == "warm_started":
        yield key, in_words(value, evaluations)
    elif key == "micro_batched":
        yield key, failed.in_words(value, evaluations)
    elif key == "throughput":
        yield key, ", ".join(pace(value)) or "not measured"
    elif key not in ("schema", "versions", "figures", "hypervolume"):
        pairs = value.items() if isinstance(value, dict) else ()
        words = [f"{k} {jsonlib.dumps(v) if isinstance(v, dict) else v}" for k, v in pairs if k != "data"]
        yield key, (", ".join(words) if isinstance(value, dict) else str(value)) or "none"


def _words(figures: Mapping[str, Any]) -> str:
    """Figures as words, groups in brackets: `best 0.1, species 3, modules (threshold 0.5)`."""
    found = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found.append(f"{name} ({_words(value)})")
        else:
            found.append(f"{name} {jsonlib.dumps(value) if isinstance(value, list) else _word(value)}")
    return ", ".join(found)


def _word(value: Any) -> str:
    return "none" if value is None else visible(str(value)) if isinstance(value, str) else readable(value)


def _hypervolume(reading: Reading, logged: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The front's hypervolume after the last told step, and its reference point; None for a run that has none yet."""
    from evonas_cli.store.figures import VOLUME

    value, reference = logged[-1].get(VOLUME) if logged else None, reading.run.status().get("reference")
    return None if value is None or not reference else {"value": value, "reference": reference}
