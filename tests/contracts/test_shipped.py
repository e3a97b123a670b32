"""The contracts run outside of the repository on a user's own parts, through the plugin of pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULE = """
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Proposal
from evonas_cli.spaces.bits import Bits


class Mine(Bits):
    def distanc(self, first, second):
        return 0.0


class Once:
    demands = Demands()
    least_evaluations = 1

    def __init__(self, space):
        self.space = space

    def init(self, rng) -> int:
        return 0

    def ask(self, state, rng):
        return [Proposal(self.space.sample(rng))], state

    def tell(self, state, told, rng):
        return state

    def population(self, state):
        return ()
"""


def test_a_users_parts_are_put_to_the_laws(tmp_path: Path) -> None:
    (tmp_path / "my_parts.py").write_text(MODULE)
    for group, name in (("space", "Mine"), ("strategy", "Once")):
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / f"own_{group}.yaml").write_text(f"_target_: my_parts.{name}\n")
    words = ("-p", "evonas_cli.testing.plugin", "--pyargs", "evonas_cli.testing.test_parts", "-k", "own_space")
    own = ("--evonas-config-dir", "conf", "--evonas-allow", "my_parts", "-q", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *own],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1 and "every_public_name_is_a_capability-own_space" in failed[0], done.stdout
    assert "1 failed, 13 passed" in done.stdout
