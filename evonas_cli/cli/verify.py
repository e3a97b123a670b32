"""`evonas verify`: is the run what its journal says, and does it come out again?"""

from __future__ import annotations

from typing import Annotated

import typer

from evonas_cli.cli.common import OUTPUTS, AllowModules, AsJson, Outputs, Run, print_json, remark, say


def verify(
    run: Run,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
    replay: Annotated[bool, typer.Option("--replay", help="Evaluate every candidate again and compare bits.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Write what is damaged again from good lines.")] = False,
) -> int:
    """Check a run against its journal.

    Compares proposals, snapshots, populations and fronts with what the journal gives, and prints a digest.
    """
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
    parts = assemble(config, trusted(found, allow_module or []), trial=False)
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
