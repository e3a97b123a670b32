"""`evonas explain`: what a trained candidate gets wrong, how sure it may be, and which parts and genes matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Quiet,
    Run,
    print_columns,
    print_json,
    readable,
    remark,
    say,
    several,
)
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.explain.ablation import Ablating
    from evonas_cli.explain.parts import Parts
    from evonas_cli.explain.subject import Subject
    from evonas_cli.report.reading import Reading


def explain(
    run: Run,
    word: Annotated[
        str | None, typer.Argument(metavar="[ID|best|knee]", help="Candidate of the run (default: best).")
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablation/--no-ablation", help="Train the network again without each of its parts.")
    ] = True,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each network of the ablation.")] = 3,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Epochs of these trainings (default: the candidate's own).")
    ] = None,
    parts: Annotated[int, typer.Option("--parts", help="Most parts that are left out, one after the other.")] = 8,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="Also write a page, in HTML.")
    ] = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Explain a trained candidate on the validation part; the test part stays closed.

    Calibration, confusions and the worst examples, maps of what an answer depends on, an ablation of the network's
    parts, the genes that matter, and what all of it cost. The explanation is kept in the run, where `evonas report` and
    a later `explain` find it. A retrained run (`evonas retrain`) and a search with trainer.save_state=true
    have weights.
    """
    from evonas_cli.cli.report import check_out
    from evonas_cli.explain.ablation import Ablating, foreseen
    from evonas_cli.explain.explaining import explain as explained
    from evonas_cli.explain.explaining import keep
    from evonas_cli.explain.subject import subject_of
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.reading import read_run

    _check(word, {"--seeds": seeds, "--epochs": epochs, "--parts": parts})
    if output is not None:
        check_out(output)
    allowed = allow_module or []
    reading = read_run(run, outputs, allowed)
    subject = subject_of(reading, chosen(reading, [word or "best"])[0], allowed)
    how, left_out = Ablating(seeds, epochs), _parts(subject, parts) if ablate else None
    if not quiet and left_out is not None:
        remark(f"evonas: {_warning(*foreseen(subject, left_out, how), how, subject, left_out)}")
    tell = (lambda text: None) if quiet else (lambda text: remark(f"evonas: {text}"))
    document = explained(subject, _search(reading, outputs, allowed), left_out, how, tell)
    kept = keep(document, reading.run)
    if output is not None:
        from evonas_cli.report.page.explained import page

        output.write_bytes(page(document, reading.run.root.name).encode("utf-8", "backslashreplace"))
    if json:
        print_json(document)
        return 0
    _print(document)
    say(kept)
    if output is not None:
        say(output)
    return 0


def _check(word: str | None, counts: Mapping[str, int | None]) -> None:
    """Raises UsageError for a count below 1, and for several candidates."""
    from evonas_cli.core.errors import UsageError

    for name, number in counts.items():
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}; it must be 1 or more")
    if word == "front":
        raise UsageError("front names several candidates; one is explained at a time, so name an id, best or knee")


def _parts(subject: Subject, most: int) -> Parts:
    """What is left out of the network, one after the other."""
    from evonas_cli.explain.gene_parts import gene_parts
    from evonas_cli.explain.parts import parts_of

    space: Any = subject.reading.parts.space
    genes = gene_parts(space, space.from_json(subject.entry["genome"]), subject.task)
    return parts_of(subject.outgoing.plan, most, genes)


def _search(reading: Reading, outputs: Path, allowed: list[str]) -> Reading:
    """The search whose candidates were trained again, where the run is a retraining and the search is there."""
    from evonas_cli.report.reading import read_run
    from evonas_cli.run.openings import owner

    search = owner(reading.run)
    return reading if search.root == reading.run.root else read_run(str(search.root), outputs, allowed)


def _warning(count: int, seconds: float | None, how: Ablating, subject: Subject, parts: Parts) -> str:
    """How much there is to be trained, and how long that may take."""
    from evonas_cli.explain.ablation import trainer_of
    from evonas_cli.report.page.words import duration

    long = "of unknown length" if seconds is None else f"about {duration(seconds)} one after the other"
    networks, epochs = several(len(parts.parts) + 1, "network"), several(trainer_of(subject, how).epochs, "epoch")
    return (
        f"ablation: {networks} x {several(how.seeds, 'seed')} = {several(count, 'training')} of {epochs}, {long}; "
        "fewer with --seeds, --epochs and --parts, none with --no-ablation"
    )


def _print(document: Mapping[str, Any]) -> None:
    for line in _about(document):
        say(line)
    if "parts" in document["ablation"]:
        _print_ablation(document["ablation"])
    if "genes" in document["genes"]:
        _print_genes(document["genes"])
    for name in ("ablation", "genes", "sensitivity", "calibration"):
        if "said" in document[name]:
            say(f"{name}: {document[name]['said']}")
    _print_spending(document["spending"])


def _about(document: Mapping[str, Any]) -> Iterator[str]:
    """The network's metrics, its calibration, what it confuses, and the test of its maps."""
    found = ", ".join(f"{name} {readable(value)}" for name, value in document["metrics"].items())
    yield f"candidate {document['candidate']} on {document['examples']:,} validation examples: {found}"
    calibration, names = document["calibration"], document["names"]
    if "ece" in calibration:
        yield (
            f"calibration: says {calibration['confidence']:.1%} on average, {calibration['accuracy']:.1%} come true; "
            f"expected calibration error {calibration['ece']:.3f} (by chance alone up to {calibration['chance']:.3f})"
        )
    for pair in document["confusion"].get("pairs", [])[:3]:
        yield (
            f"confusion: {names[pair['true']]} taken for {names[pair['answer']]}: {several(pair['count'], 'example')}, "
            f"{pair['share']:.0%} of the class {names[pair['true']]}"
        )
    for name, one in zip(names, document.get("residuals", []), strict=False):
        low, high = one["quantiles"][0], one["quantiles"][-1]
        yield (
            f"residuals of {name}: mean {readable(one['bias'])}, mean absolute {readable(one['mae'])}, "
            f"95 % from {readable(low)} to {readable(high)}"
        )
    for name, test in document["sensitivity"].get("deletion", {}).items():
        yield (
            f"{name}: covering the {test['share']:.0%} it marks lowers the answer's probability by "
            f"{test['mapped']:.3f}, random parts by {test['random']:.3f} ({several(test['images'], 'image')})"
        )


def _print_ablation(found: Mapping[str, Any]) -> None:
    whole = sum(found["whole"]["values"]) / found["seeds"]
    say()
    say(f"without a part: change of {found['metric']} from {readable(whole)}, {several(found['seeds'], 'seed')}, "
        f"{several(found['epochs'], 'epoch')}")  # fmt: skip
    rows = [["change", "95 % interval", "parameters", "verdict", "part"]]
    for row in found["parts"]:
        span = "-" if row["interval"] is None else " .. ".join(f"{end:+.3g}" for end in row["interval"])
        rows.append([f"{row['difference']:+.3g}", span, f"{row['parameters']:,}", row["verdict"], row["name"]])
    print_columns(rows)
    for line in found["kept"]:
        say(f"not left out: {line}")


def _print_genes(found: Mapping[str, Any]) -> None:
    from evonas_cli.report.explained import belief

    say()
    correlation = found["spearman"]
    shown = "none" if correlation is None else f"{correlation:.2f}"
    say(f"{found['kind']} that matter for {found['metric']}, over {several(found['candidates'], 'candidate')}; "
        f"cross-validated Spearman {shown}: {belief(correlation)}")  # fmt: skip
    rows = [["importance", "+-", found["kind"]]]
    rows += [[f"{one['share']:.3f}", f"{one['spread']:.3f}", one["name"]] for one in found["genes"][:8]]
    print_columns(rows)


def _print_spending(found: Mapping[str, Any]) -> None:
    from evonas_cli.report.page.words import duration

    joules = found["energy_said"] if found["energy_j"] is None else f"{found['energy_j']:.3g} J"
    say()
    say(f"cost: training {duration(found['train_seconds'])}, one pass on the CPU {found['latency_ms']:.3g} ms; "
        f"energy of a pass: {joules}")  # fmt: skip
    search = found["search"]
    say(f"search: {several(search['candidates'], 'candidate')} in {duration(search['elapsed_seconds'])}"
        + (f"; the paper's: {found['original']}" if found["original"] else ""))  # fmt: skip
