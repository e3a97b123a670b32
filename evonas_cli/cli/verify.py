"""`evonas verify`: is the run what its journal says, does it come out again, and does the promise hold here?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    ConfigDirs,
    Outputs,
    print_json,
    reference_of,
    remark,
    say,
)
from evonas_cli.core.errors import UsageError

KILLS = 10
"""Kills where their number is not given."""
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN", help="A run's path, beginning of its name, or `latest`; overrides with --torture."),
]


def verify(
    words: Words = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
    replay: Annotated[bool, typer.Option("--replay", help="Evaluate every candidate again and compare bits.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Write what is damaged again from good lines.")] = False,
    torture: Annotated[
        bool,
        typer.Option("--torture", help="Kill and damage searches of a configuration; show that they end the same."),
    ] = False,
    kills: Annotated[int | None, typer.Option("--kills", help="Of --torture: kills at random moments (10).")] = None,
    config_dir: ConfigDirs = None,
) -> int:
    """Check a run against its journal.

    Compares proposals, snapshots, populations and fronts with what the journal gives, and prints a digest.
    """
    given = words or []
    if torture:
        from evonas_cli.cli.torture import torture as tortured

        if replay or repair:
            raise UsageError("--torture makes runs of its own; leave out --replay and --repair")
        return tortured(given, KILLS if kills is None else kills, config_dir or [], allow_module or [], json)
    for word, value in (("--kills", kills), ("--config-dir", config_dir)):
        if value is not None:
            raise UsageError(f"{word} goes with --torture")
    if len(given) != 1:
        found = f"got {len(given)}" if given else "Missing argument 'RUN'"
        raise UsageError(f"{found}; `evonas verify` takes one run, or --torture and overrides")
    return _verified(reference_of(given[0]), outputs, allow_module or [], json, replay, repair)


def _verified(run: str, outputs: Path, allowed: list[str], json: bool, replay: bool, repair: bool) -> int:
    from evonas_cli.run import verify as verification
    from evonas_cli.run.assembly import assemble
    from evonas_cli.run.identity import check_identity
    from evonas_cli.run.replay import replay as evaluated_again
    from evonas_cli.run.session import trusted
    from evonas_cli.run.stored import check_resumable, stored_config
    from evonas_cli.store.directory import find

    found = find(run, outputs)
    config = stored_config(found)
    check_identity(found, config)
    check_resumable(found, config)
    parts = assemble(config, trusted(found, allowed), trial=False)
    for step in verification.repair(found, parts) if repair else []:
        remark(f"evonas: {step}")
    verdict = verification.verify(found, parts)
    if replay and verdict.ok:
        for id, difference in evaluated_again(found, parts):
            outcome = "same" if difference is None else difference
            remark(f"evonas: candidate {id}: {outcome}")
            if difference is not None:
                verdict.problems.append(f"candidate {id} came out differently: {difference}")
    if json:
        print_json(verdict.document())
    else:
        for problem in verdict.problems:
            say(problem)
        state = "complete" if verdict.complete else "not finished"
        say(f"{'ok' if verdict.ok else 'NOT OK'}: {verdict.evaluations} evaluations, {state}, digest {verdict.digest}")
    return 0 if verdict.ok else 1
