"""Rows whose candidates misbehave: each fails with its reason, the search goes on, and a resume gives the same.

They are candidates of a landscape, whatever the configuration is: what an evaluator makes of them is the same for all.
"""

from __future__ import annotations

from functools import partial

from evonas_cli.config.compose import compose
from evonas_cli.run.assembly import assemble
from evonas_cli.run.conduct import conduct
from evonas_cli.run.session import create, reopen
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Row, holds, same

COUNT, FIRST = 20, 5
MODULE = "evonas_cli.torture.hostile"
SEARCH = ("space=bits", "space.length=20", "job=hostile", "strategy=genetic", f"strategy.population_size={FIRST}",
          f"budget.evaluations={COUNT}", "seed=0")  # fmt: skip
JOB = """defaults:
  - override /evaluator@_global_.evaluator: serial
_target_: evonas_cli.torture.hostile.Hostile
how: raise
share: 0.3
first: 0
noise: 0.01
_objectives_: [valid_error]
"""
WORKER = ("evaluator=pool", "evaluator.workers=1", "evaluator.crash=fail", "evaluator.attempts=1")


def _hostile(how: str, kind: str, more: tuple[str, ...], ground: Ground) -> str:
    """All of a search, then half of it and a resume; failures must be of this kind."""
    folder = ground.folder / "hostile"
    (folder / "job").mkdir(parents=True, exist_ok=True)
    (folder / "job" / "hostile.yaml").write_text(JOB)
    parts = assemble(compose([*SEARCH, f"job.how={how}", *more], [folder]).config, [MODULE], [folder])
    run = ground.free()
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    try:
        conduct(session)
    finally:
        session.close()
    whole, kinds = verify(run, parts), _kinds(run)
    same((whole.problems, whole.complete, whole.evaluations), ([], True, COUNT), "verdict")
    failed = [found for found in kinds if found]
    holds(failed and set(failed) == {kind}, f"failures of kinds {sorted(set(failed))}")
    holds(len(failed) < COUNT, "no candidate succeeded")
    lines = run.journal.read_bytes().splitlines(keepends=True)
    run.journal.write_bytes(b"".join(lines[: COUNT // 2]))
    session = reopen(run, parts, lambda candidate, result: None)
    try:
        conduct(session)
    finally:
        session.close()
    same(verify(run, parts).document(), whole.document(), "verdict after a resume")
    return f"{len(failed)} of {COUNT} failed as {kind}, same digest"


def _kinds(run: RunDirectory) -> list[str | None]:
    journal = Journal(run.journal, write=False)
    try:
        return [entry.get("error", {}).get("kind") for entry in journal]
    finally:
        journal.close()


def _row(name: str, injected: str, how: str, kind: str, *more: str, seconds: float = 0.0) -> Row:
    """A row of candidates that fail as `kind`."""
    expected = f"they fail as {kind}; same digest after a resume"
    return Row(f"candidates, {name}", injected, expected, partial(_hostile, how, kind, more), seconds)


ROWS = (
    _row("raise", "30 % raise an exception whose words are no text", "raise", "error"),
    _row("NaN", "30 % return NaN", "no-number", "not_finite"),
    _row("inf", "30 % return infinity", "infinite", "not_finite"),
    _row("names", "30 % write names that are no text", "names", "not_finite"),
    _row("hang", "15 % hang", "hang", "timeout", *WORKER, "evaluator.timeout=0.5", "job.share=0.15", seconds=1.0),
    _row("exit", "30 % end their process", "exit", "crashed", *WORKER, seconds=1.0),
    _row("abort", "30 % abort", "abort", "crashed", *WORKER, seconds=1.0),
    _row("memory", "30 % eat memory", "memory", "oom", *WORKER, seconds=1.0),
    _row("first population", "all of the first population fail", "fail", "error", f"job.first={FIRST}"),
)
