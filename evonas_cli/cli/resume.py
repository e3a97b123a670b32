"""`evonas resume`: go on with a run from what it recorded."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Devices,
    Grace,
    Outputs,
    Quiet,
    Run,
    Workers,
    machine_overrides,
)
from evonas_cli.cli.stopping import GRACE, ignore_hangups


def resume(
    run: Run,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Settings that do not change results, e.g. budget.evaluations=200."),
    ] = None,
    workers: Workers = None,
    devices: Devices = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    grace: Grace = GRACE,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Go on with a run.

    An interrupted run ends as if it had never stopped; a finished one goes on under a larger budget.
    """
    from evonas_cli.cli.running import carry_out, narrator
    from evonas_cli.config.compose import apply
    from evonas_cli.run.assembly import assemble
    from evonas_cli.run.identity import check_identity
    from evonas_cli.run.session import reopen, trusted
    from evonas_cli.run.stored import check_resumable, stored_config
    from evonas_cli.store.directory import find

    ignore_hangups()
    found = find(run, outputs)
    stored = stored_config(found)
    config = apply(stored, [*(overrides or []), *machine_overrides(workers, devices)])
    check_identity(found, config)
    check_resumable(found, config)
    parts = assemble(config, trusted(found, allow_module or []))
    voice = narrator(parts, quiet)
    return carry_out(lambda: reopen(found, parts, voice.result, sys.argv[1:]), found, voice, json, grace=grace)
