"""Which strategies serve which spaces, and which of the two a message names where they do not fit."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from evonas_cli.config.folders import file_of, read
from evonas_cli.genomes.capabilities import Buildable, Linear
from evonas_cli.run.serving import obstacle, remedy, serving, trusted
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.spaces.parabola import Parabola


def node(group: str, name: str) -> dict[str, object]:
    return read(file_of(group, name, ()))


def test_what_keeps_a_strategy_from_a_space() -> None:
    assert obstacle(node("strategy", "grid"), ChainCnn()) == "it has no choices"
    assert obstacle(node("strategy", "genetic"), ChainCnn()) is None
    assert obstacle(node("strategy", "genetic"), Bits()) is None
    wrong = {**node("strategy", "genetic"), "parents": 1}
    assert obstacle(wrong, Bits()) == "strategy.parents must be a whole number of at least 2; it is 1"
    assert obstacle({**node("strategy", "genetic"), "diversity": "sharing"}, Bits()) != "it has no choices"


def test_what_a_strategy_refuses_when_its_state_begins_keeps_it_from_a_space() -> None:
    evograd, climbing = (trusted("strategy", (), ())[name] for name in ("evograd", "local_search"))
    assert obstacle(evograd, Parabola()) is None and obstacle(climbing, Bits()) is None
    assert "these of the space are discrete: bit_0" in str(obstacle(evograd, Bits()))
    assert "cannot list the neighbours along" in str(obstacle(climbing, Parabola()))


def test_asking_warns_nobody(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogger("evonas_cli.strategies").level
    assert obstacle(node("strategy", "reinforce"), ChainCnn()) is None
    assert not caplog.records and logging.getLogger("evonas_cli.strategies").level == before


def test_the_one_that_was_chosen_is_kept() -> None:
    default, grid = node("strategy", "nsga2"), node("strategy", "grid")
    assert remedy("strategy", default, (Linear,), ChainCnn(), (), ()).startswith("strategies that serve chain_cnn: ")
    known = "spaces that are: augmentation_policy, backbone, bits, "
    assert remedy("strategy", grid, (Linear,), ChainCnn(), (), ()).startswith(known)
    assert remedy("job", node("job", "train"), (Buildable,), Bits(), (), ()) == "jobs that serve bits: landscape, table"
    assert remedy("strategy", default, (int,), NasBench201(), (), ()) == "spaces that are: none"
    assert remedy("dedupe=function with job", node("job", "train"), (Linear,), Bits(), (), ())[:15] == "spaces that are"


def test_files_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    for name, text in {
        "small": "_target_: evonas_cli.spaces.bits.Bits\nlength: 8\n",
        "wrong": "_target_: evonas_cli.spaces.bits.Bits\nlength: no number\n",
        "foreign": "_target_: foreign.Space\n",
        "broken": "a: [",
    }.items():
        (tmp_path / "space" / f"{name}.yaml").write_text(text)
    assert set(trusted("space", (), [tmp_path])) - set(trusted("space", (), ())) == {"small", "wrong"}
    random = serving([tmp_path])["random"]
    assert random["small"] is None and random["wrong"] == "space.length is 'no number'; it must be an integer"
    line = remedy("job", node("job", "train"), (Buildable,), Bits(), (), [tmp_path])
    assert line.startswith("jobs that serve Bits: "), "three files name its class"


class Undemanding:
    """A strategy of a user that does not say what it demands."""

    def __init__(self, space: object) -> None:
        self.space = space


def test_a_strategy_without_demands_serves_nothing() -> None:
    assert obstacle({"_target_": f"{__name__}.Undemanding"}, Bits(), [__name__]) == "the strategy has no demands"
