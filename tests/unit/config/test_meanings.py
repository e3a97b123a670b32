"""Meanings of settings are read from comments, and no setting of evonas' own files is without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas_cli.config.folders import conf_root, options, root_file
from evonas_cli.config.meanings import experiment, leaf
from evonas_cli.config.settings import EXPERIMENT, GROUPS

ODD = """\
# a note on the file
# of two lines

# above
# in two lines
a: 1 # and behind
b: "x # y" # quoted, # twice
c:
  # inside
  d: [1,
    2] # behind a list
  e: {x: 1} #no blank
f: |
  # no comment
  text
# of g
g: &name {q: 1} # anchored
h: *name # alias
i: # list
  - 1
  - 2 # of an element

# after a gap is not right above

j: # empty
"k l": 'it''s' # quoted key
m: a b
  c # folded
"on": true # a word
7: seven
"""


def meanings(path: Path) -> dict[str, str]:
    return {setting.key: setting.meaning for setting in leaf(path).settings}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd.yaml"
    path.write_text(ODD)
    return path


def test_comments_above_and_behind(odd: Path) -> None:
    assert meanings(odd) == {
        "a": "above in two lines and behind",
        "b": "quoted, # twice",
        "c": "",
        "c.d": "inside behind a list",
        "c.e": "no blank",
        "f": "",
        "g": "of g anchored",
        "h": "alias",
        "i": "list",
        "j": "empty",
        "k l": "quoted key",
        "m": "folded",
        "on": "a word",
        "7": "",
    }
    assert leaf(odd).notes == "a note on the file of two lines"


def test_values_and_blocks(odd: Path) -> None:
    found = {setting.key: setting for setting in leaf(odd).settings}
    assert found["c"].block and not found["c.e"].block and found["c.e"].path == ("c", "e")
    values = found["c.d"].value, found["f"].value, found["h"].value, found["m"].value, found["7"].value
    assert values == ([1, 2], "# no comment\ntext\n", {"q": 1}, "a b c", "seven")


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_files_of_other_systems(tmp_path: Path, line_break: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(line_break.join(["# note", "_target_: x.Y", "# über", "length: 3 # bits", ""]).encode())
    assert (leaf(path).notes, meanings(path)) == ("note", {"length": "über bits"})


def test_keys_that_yaml_reads_as_another_word_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("inside:\n  on: 1 # a\n  2: b # c\n")
    found = [(setting.key, setting.value, setting.meaning) for setting in leaf(path).settings]
    assert found[1:] == [("inside.2", "b", "c"), ("inside.True", 1, "")]


@pytest.mark.parametrize("text", ["", "# a note alone\n", "_target_: x.Y\n"])
def test_files_without_settings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert leaf(path).settings == () and leaf(path).notes == text.strip("# \n").removesuffix("_target_: x.Y")


def test_what_a_file_brings_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "# @package _global_\n# a note\ndefaults:\n  - override /dataset@_global_.dataset: copy\n  - _self_\n"
        "  - override /job: train\n_target_: x.Y\n# of the runner\n_window_: 8\nlength: 3\n"
    )
    found = leaf(path)
    assert found.chooses == {"dataset": "copy", "job": "train", "window": 8}
    assert found.notes == "a note" and [setting.key for setting in found.settings] == ["length"]


def test_settings_of_an_experiment_mean_what_their_groups_say(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "mine.yaml").write_text("_target_: mine.Space\nlength: 3  # Number of bits.\n")
    path = tmp_path / "fast.yaml"
    path.write_text(
        "defaults:\n  - override /space: mine\nspace:\n  length: 9  # as in the paper\n  unknown: 1\n"
        "strategy:\n  population_size: 4\nbudget:\n  cost: 5\n"
    )
    found = {setting.key: setting.meaning for setting in experiment(path, [tmp_path]).settings}
    assert found["space.length"] == "as in the paper. Number of bits."
    assert found["space.unknown"] == "" and "cost" in found["budget.cost"]
    assert "individuals" in found["strategy.population_size"], "what is not chosen is the default option"


LEAVES = [pytest.param(path, id=f"{group}/{name}") for group in GROUPS for name, path in options(group).items()]


@pytest.mark.parametrize("path", [*LEAVES, pytest.param(root_file(), id="config")])
def test_no_setting_is_without_a_meaning(path: Path) -> None:
    wrong = [key for key, meaning in meanings(path).items() if not meaning]
    assert not wrong, f"{path.relative_to(conf_root())}: write a comment that says what {', '.join(wrong)} means"


@pytest.mark.parametrize("path", [pytest.param(path, id=name) for name, path in options(EXPERIMENT).items()])
def test_what_experiments_set_has_a_meaning(path: Path) -> None:
    found = experiment(path)
    assert found.notes, f"{path.name}: write a comment on where the numbers come from"
    known = [setting for setting in found.settings if setting.path not in [(group,) for group in GROUPS]]
    assert known and not [setting.key for setting in known if not setting.meaning]
