"""Rows that go on with a search under other settings: what decides results is refused, the rest changes nothing."""

from __future__ import annotations

from evonas_cli.torture.child import Fault
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.kills import JOURNAL
from evonas_cli.torture.row import Row, holds, same

WORKERS = (1, 2, 4)
FREE = ("snapshot.every=1", "snapshot.growth=2", "run.name=another", "run.outputs=elsewhere")


def _identity(ground: Ground) -> str:
    run, seed = ground.half(), ground.parts.config["seed"]
    done = ground.carry_out(run, f"seed={seed + 1}")
    same(done.code, 3, "exit code")
    holds(f"seed: run has {seed}, now {seed + 1}" in done.said[-1], f"the key is not named: {done.said[-1]}")
    return f"refused with the key's name, {ground.resume(run)} with the old one"


def _free(ground: Ground) -> str:
    return ground.resume(ground.half(), *FREE)


def _workers(ground: Ground) -> str:
    run, threads = ground.free(), ground.parts.config["evaluator"].get("threads", 1)
    for number, count in enumerate(WORKERS, 1):
        words = ("evaluator=pool", f"evaluator.workers={count}", f"evaluator.threads={threads}")
        last = number == len(WORKERS)
        faults = [] if last else [Fault("write", JOURNAL, "kill", max(1, ground.count // 4))]
        done = ground.carry_out(run, *words, faults=faults, cold=True)
        done.check(*((0, 1) if last else (0, 1, -9)))
    return ground.compare(run)


ROWS = (
    Row("identity key", "seed changed on a resume", "refused with the key's name, exit 3", _identity, 1.2),
    Row("free keys", ", ".join(FREE), "same digest", _free, 0.9),
    Row("workers mixed", "sessions of 1, 2 and 4 workers, two of them killed", "same digest", _workers, cold=3.0),
)
