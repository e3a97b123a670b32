"""Every configured strategy keeps the contract of Strategy in runs, on a space of each kind that it can serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strategy_pairs import KINDS, PAIRS

from evonas_cli.testing import strategies as contract


@pytest.mark.parametrize("pair", sorted(KINDS.values()), ids="-".join)
@pytest.mark.parametrize("law", contract.LAWS_ON_DISK)
def test_runs_keep_the_law(law: Callable[[Any, Any, Path], None], pair: tuple[str, str], tmp_path: Path) -> None:
    law(*PAIRS[pair], tmp_path)
