"""Folders of YAML files: any name of a folder serves, and a file that cannot be read is named with its line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra
from hypothesis import example, given
from hypothesis import strategies as st

from evonas_cli.config.compose import compose
from evonas_cli.config.folders import check_folders, file_of, hydra_paths, misnamed, options, read
from evonas_cli.config.settings import nearest
from evonas_cli.core.errors import UsageError

BITS = "_target_: evonas_cli.spaces.bits.Bits\nlength: {}\n"
NAMES = st.text(st.sampled_from("aö()='\"[]%#,: ${}\\~!&*+-.?@^`|<>;x"), min_size=1, max_size=12)


def folder(root: Path, length: int, name: str = "mine") -> Path:
    (root / "space").mkdir(parents=True)
    (root / "space" / f"{name}.yaml").write_text(BITS.format(length))
    return root


@given(NAMES.filter(lambda name: name not in (".", "..")))
@example("a,file:b")
@example("${oc.env:HOME}")
@example("ö (1) = ['x'] %20 #, {a: b}")
def test_a_folder_of_any_name_serves(name: str) -> None:
    with tempfile.TemporaryDirectory() as place, hydra_paths([folder(Path(place) / name, 7)]):
        loader: Any = GlobalHydra.instance().config_loader()
        assert loader.repository.load_config("space/mine").config["length"] == 7


@pytest.mark.parametrize("name", ["c,d", "ö (1) = ['x'] %20 #, {a: b}", "${oc.env:HOME}"])
def test_a_configuration_comes_from_the_folder_that_is_named(tmp_path: Path, name: str) -> None:
    folder(tmp_path / "c", 1)
    assert compose(["space=mine"], [folder(tmp_path / name, 2)]).config["space"]["length"] == 2


def test_two_folders_are_both_searched(tmp_path: Path) -> None:
    both = [folder(tmp_path / "a", 1, "one"), folder(tmp_path / "b", 2, "two")]
    assert [compose([f"space={name}"], both).config["space"]["length"] for name in ("one", "two")] == [1, 2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"- a\n- b\n", "holds a list; it must hold settings, written as key: value"),
        (b"word\n", "holds a single value"),
        (b"5\n", "holds a single value"),
        (b"a: 1\nb: \xe9\n", ", line 2: this is not UTF-8"),
        ("a: 1\n".encode("utf-16"), ", line 1: this is not UTF-8"),
        (b"a: [1,\nb: {", ", line 2: this is no YAML"),
        (b"a: 1\na: 2\n", ", line 2: this is no YAML (found duplicate key a)"),
        (b"a: \x01\n", ": this is no YAML (special characters are not allowed)"),
        (b"a: ${x\n", "no viable alternative at input '${x'"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as refused:
        read(path)
    assert str(refused.value).startswith(str(path)) and expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_in_the_place_of_a_file_and_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(UsageError, match=r"a\.yaml cannot be read: Is a directory"):
        read(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text("# nothing\n")
    assert read(tmp_path / "b.yaml") == {}


@pytest.mark.parametrize("ending", [".yml", ".YAML", ".Yml"])
def test_another_ending_is_said(tmp_path: Path, ending: str) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / f"mine{ending}").write_text(BITS.format(3))
    assert list(misnamed("space", [tmp_path])) == ["mine"] and "mine" not in options("space", [tmp_path])
    with pytest.raises(UsageError, match=rf"mine{ending} must end in \.yaml; rename it to mine\.yaml"):
        file_of("space", "mine", [tmp_path])


def test_a_bad_file_that_an_option_leads_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "all.yaml").write_text("# @package _global_\ndefaults:\n  - override /space: listed\n")
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "listed.yaml").write_text("- a\n")
    with pytest.raises(UsageError, match=r"listed\.yaml holds a list"):
        compose(["experiment=all"], [tmp_path])
    assert compose(["space=bits"], [tmp_path]).choices["space"] == "bits"


def test_a_name_of_our_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has the name of one of evonas' own"):
        check_folders([folder(tmp_path, 1, "bits")])


def test_the_word_itself_is_never_suggested() -> None:
    assert nearest("2024", ["2024"]) == "" and nearest("2024", ["2024", "2025"]) == "; did you mean 2025?"
