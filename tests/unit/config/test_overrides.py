"""Overrides whose key is a path: the value is the path as it is written; all others keep Hydra's grammar."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evonas_cli.config.build import build
from evonas_cli.config.compose import apply, compose
from evonas_cli.config.folders import conf_root, read
from evonas_cli.config.overrides import parse, plain, set_path
from evonas_cli.config.settings import PATHS
from evonas_cli.core.errors import UsageError

LETTERS = st.text(st.sampled_from("aö()='\"[]%#,: {}$~!&*+-.?@^`|<>;x0"), max_size=15)
TEXTS = st.text(st.sampled_from("aö()='\"[]%#,: {}$\\~!&*+-.?@^`|<>;x0"), min_size=1, max_size=15)


@given(LETTERS)
@example("data/my (new) files/ö=1,2.npz")
@example("data/range(1,3)")
def test_a_path_is_taken_as_it_is_written(name: str) -> None:
    path = f"/{name}".replace("${", "$")
    assert parse(plain(f"dataset.path={path}")).value() == path


@given(TEXTS)
@example("it's \\'so\\")
@example("null")
@example("${{")
def test_a_path_that_a_program_sets_is_that_path(name: str) -> None:
    path = re.sub(r"\$\{+", "$", name)  # `${` is refused
    override = set_path("job.path", path)
    assert parse(plain(override)).value() == path and plain(override) == override


@pytest.mark.parametrize("value", ["~/data", "~", "2024", "true", "1e3", "a,b", "a b ", "a=b", "007", "a:b", "it's"])
def test_words_that_hydra_reads_otherwise(value: str) -> None:
    assert parse(plain(f"dataset.root={value}")).value() == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("null", None),
        ("'a,b'", "a,b"),
        ('"~/x y"', "~/x y"),
        ("a\\ b\\=c", "a b=c"),
        ("[a,b]", ["a", "b"]),
        ("${oc.env:HOME}/x", "${oc.env:HOME}/x"),
        ("", ""),
    ],
)
def test_what_stays_hydras(value: str, expected: object) -> None:
    text = f"dataset.root={value}"
    assert plain(text) == text and parse(text).value() == expected


def test_a_reference_in_a_path_with_special_letters_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "/somewhere")
    config = compose(["dataset=npz", "dataset.path=${oc.env:PLACE}/my (new) ö.npz"]).config
    assert config["dataset"]["path"] == "/somewhere/my (new) ö.npz"


def test_a_program_cannot_set_a_reference() -> None:
    with pytest.raises(UsageError, match=r"job\.path: the path a\$\{b\} holds \$\{"):
        set_path("job.path", "a${b}")


@pytest.mark.parametrize("text", ["seed=1,2", "run.name=a b", "space=~x", "dataset.limit=~"])
def test_keys_that_are_no_paths_are_left_alone(text: str) -> None:
    assert plain(text) == text


def test_paths_hold_in_compose_and_in_resume(tmp_path: Path) -> None:
    config = compose(["dataset=npz", "dataset.path=/a (b),c=ö", "run.outputs=~/o,p"]).config
    assert (config["dataset"]["path"], config["run"]["outputs"]) == ("/a (b),c=ö", "~/o,p")
    assert apply(config, ["dataset.path=~/x, y"])["dataset"]["path"] == "~/x, y"


def test_every_key_of_the_configuration_that_holds_a_path_is_listed() -> None:
    found = {
        f"{path.parent.name}.{key}"
        for path in conf_root().glob("*/*.yaml")
        for key in read(path)
        if key in ("root", "path", "file", "folder", "latency_table")
    }
    assert found | {"run.outputs", "start_from", "cache"} == set(PATHS)


def test_an_object_is_given_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    config = compose(["dataset=npz", "dataset.path=~/x.npz"]).config
    assert build(config["dataset"], "dataset").path == str(tmp_path / "x.npz")
    assert config["dataset"]["path"] == "~/x.npz"
    with pytest.raises(UsageError, match=r"dataset\.path: ~nobody-of-that-name is the home of no user here"):
        build({**config["dataset"], "path": "~nobody-of-that-name/x.npz"}, "dataset")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["run.name=2024"], "run.name is 2024; it must be a word (quotes make it one: run.name=\"'2024'\"), or null"),
        (["run.name=true"], "run.name is true; it must be a word (quotes make it one"),
        (["dedupe=null"], "dedupe is null; did you mean none?"),
        (["dataset=npz", "dataset.path=/data/${nothing}"], "nothing"),
    ],
)
def test_a_value_of_another_type_is_said(overrides: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as refused:
        compose(overrides)
    assert expected in str(refused.value)


def test_an_option_whose_name_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    (tmp_path / "space" / "2024.yaml").write_text("_target_: evonas_cli.spaces.bits.Bits\nlength: 3\n")
    with pytest.raises(UsageError, match=r"space=2024: 2024 is no name to Hydra; quote it: space=\"'2024'\""):
        compose(["space=2024"], [tmp_path])
    assert compose(["space='2024'"], [tmp_path]).config["space"]["length"] == 3


def test_a_list_in_the_place_of_a_path_is_told_how_to_quote_it() -> None:
    config = compose(["dataset=npz", "dataset.path=[a]"]).config
    with pytest.raises(UsageError, match=r"quote a path that looks like a list: dataset\.path=\"'\[\.\.\.\]'\""):
        build(config["dataset"], "dataset")


NAMES = st.text(st.sampled_from("ab \\,:={}[]()-_"), min_size=1, max_size=6).filter(lambda name: name.strip("ab -_"))
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "it's", 'a "b"', "a, b", "1", "null"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_a_list_may_be_json(value: list[object]) -> None:
    written = plain(f"strategy.genomes={json.dumps(value)}")
    assert parse(written).value() == value


def test_a_genome_of_a_journal_goes_into_a_search() -> None:
    genome = [[{"filters": 8, "kernel": 3, "separable": False, "skip": "none", "source": 0}]]
    config = compose(["strategy=listed", "space=layered_cnn", f"strategy.genomes={json.dumps([genome])}"]).config
    assert config["strategy"]["genomes"] == [genome]


def test_what_neither_hydra_nor_json_reads_is_said() -> None:
    with pytest.raises(UsageError, match="cannot be read as key=value"):
        compose(['strategy.genomes=[{"a": 1}'])
