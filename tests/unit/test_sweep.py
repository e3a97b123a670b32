"""What words in sweep syntax stand for, how children are called, and what a sweep's folder says of itself."""

from __future__ import annotations

import itertools
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.config.folders import options
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.store.directory import NAME
from evonas_cli.sweep.children import Child, check, children
from evonas_cli.sweep.expansion import LARGEST, axes, product
from evonas_cli.sweep.folder import Manifest, SweepFolder, find, new_folder


def values(text: str, folders: tuple[Path, ...] = ()) -> list[str]:
    """The values that one word gives its key, as text."""
    [axis] = axes([text], folders)
    return [override.partition("=")[2] for override in axis]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a,b,c", ["a", "b", "c"]),
        ("choice(a,b,c)", ["a", "b", "c"]),
        ("choice(a)", ["a"]),
        ("range(1,10)", [str(n) for n in range(1, 10)]),
        ("range(1,10,2)", ["1", "3", "5", "7", "9"]),
        ("range(3)", ["0", "1", "2"]),
        ("range(5,0,-2)", ["5", "3", "1"]),
        ("range(0,1,0.25)", ["0.0", "0.25", "0.5", "0.75"]),
        ("range(start=1,stop=4)", ["1", "2", "3"]),
        ("sort(3,2,1)", ["1", "2", "3"]),
        ("sort(3,2,1,reverse=true)", ["3", "2", "1"]),
        ("sort(choice(c,a,b))", ["a", "b", "c"]),
        ("sort(range(3,0,-1))", ["1", "2", "3"]),
        ("int(1.5,2.5)", ["1", "2"]),
        ("tag(one,choice(1,2))", ["1", "2"]),
        ("true,false", ["True", "False"]),
        ("null,1", ["null", "1"]),
        ("1e-3,0.1", ["0.001", "0.1"]),
        ("[a,b],[c]", ["[a,b]", "[c]"]),
        ("{x:1},{x:2}", ["{x:1}", "{x:2}"]),
        ("'a,b',c", ["'a,b'", "c"]),
        ('"it\'s",\'say "so"\'', ['"it\'s"', "'say \"so\"'"]),
        ("a b,c", ["a\\ b", "c"]),
        ("choice('a b','c,d')", ["a\\ b", "c\\,d"]),
        ("choice('1',2)", ["'1'", "2"]),
        ("choice('null',a)", ["'null'", "a"]),
        ("a", ["a"]),
        ("[a,b]", ["[a,b]"]),
        ("sort([3,1,2])", ["sort([3,1,2])"]),
        ("", [""]),
    ],
)
def test_hydras_syntax(value: str, expected: list[str]) -> None:
    assert values(f"key={value}") == expected


def test_interpolations_stay_interpolations() -> None:
    read = [OverridesParser.create().parse_override(f"key={v}").value() for v in values("key=${seed},[${window}]")]
    assert read == ["${seed}", ["${window}"]]


def test_shuffles_keep_their_values_and_do_not_change_from_call_to_call() -> None:
    for text, expected in (("seed=shuffle(range(20))", range(20)), ("seed=shuffle(5,1,3,2,8,9)", (5, 1, 3, 2, 8, 9))):
        drawn = [int(value) for value in values(text)]
        assert drawn != list(expected) and sorted(drawn) == sorted(expected)
        assert [int(value) for value in values(text)] == drawn
    [frozen] = values("objectives=shuffle([a,b,c])")
    assert "shuffle" not in frozen and sorted(frozen.strip("[]").split(",")) == ["a", "b", "c"]


def test_globs_choose_options_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "strategy").mkdir()
    (tmp_path / "strategy" / "random_own.yaml").touch()
    assert values("strategy=glob(*)") == list(options("strategy"))
    assert values("strategy=glob([r*,g*],exclude=re*)") == [
        n for n in options("strategy") if n[0] == "g" or n[:2] == "ra"
    ]
    assert values("strategy=glob(random*)", (tmp_path,)) == ["random", "random_own"]
    assert values("experiment=glob(*)") == list(options("experiment"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trainer.lr=interval(0,1)"], "is continuous"),
        (["strategy=glob(zzz*)"], "fits no strategy (known: "),
        (["strategy=glob(*,exclude=*)"], "fits no strategy"),
        (["seed=glob(*)"], "chooses options of a group"),
        (["seed=range(0,0)"], "has no values"),
        (["seed=range(5,0)"], "has no values"),
        (["seed=range(0,5,0)"], "never ends"),
        (["seed=range(0,inf)"], "never ends"),
        (["seed=range(0,nan)"], "never ends"),
        (["seed=choice()"], "cannot be read"),
        (["seed=0,"], "cannot be read"),
        (["seed=sort(a,1)"], "cannot be read"),
        (["seed=nothing(1,2)"], "cannot be read"),
        (["seed=0,1,0"], "the value 0 twice"),
        (["seed"], "is no override"),
        (["seed =1,2"], "is no override"),
        (["=1,2"], "is no override"),
        (["run.name=a,b"], "use --name and --outputs"),
        (["run.outputs=x"], "use --name and --outputs"),
        (["seed=range(0,10001)"], "has 10,001 children"),
        (["seed=range(0,1000000000000)"], "has 1,000,000,000,000 children"),
        (["seed=range(0,1,1e-12)"], "children; one may have 10,000"),
        (["seed=range(0,101)", "window=range(1,101)"], "has 10,100 children"),
    ],
)
def test_refused_in_one_line(words: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        axes(words)
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_the_largest_sweep_is_allowed() -> None:
    assert len(children([f"seed=range(0,{LARGEST // 2})", "window=1,2"])) == LARGEST


def test_the_last_key_varies_fastest() -> None:
    found = product(axes(["strategy=random,genetic", "budget.evaluations=30", "seed=0,1"]))
    assert found == [
        (f"strategy={strategy}", "budget.evaluations=30", f"seed={seed}")
        for strategy, seed in itertools.product(("random", "genetic"), (0, 1))
    ]
    assert product(axes([])) == [()]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_the_product_has_every_combination_once(lengths: list[int]) -> None:
    words = [f"k{n}=choice({','.join(map(str, range(length)))})" for n, length in enumerate(lengths)]
    found = product(axes(words))
    assert len(found) == len(set(found)) == math.prod(lengths)
    assert found == sorted(found)


@given(st.lists(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Zs", "S")), min_size=1), min_size=2,
                max_size=3, unique=True))  # fmt: skip
def test_any_quoted_words_come_through(texts: list[str]) -> None:
    from hydra.core.override_parser.types import Quote, QuotedString

    quoted = [QuotedString(text, Quote.double).with_quotes() for text in texts]
    for value in (",".join(quoted), f"choice({','.join(quoted)})"):
        read = [OverridesParser.create().parse_override(f"key={one}").value() for one in values(f"key={value}")]
        assert read == texts


def test_names_are_unique_readable_and_allowed() -> None:
    found = children(["strategy.population_size=4,8", "objectives=[a,b],[c]", "seed=0", "job.path='x y/é',z"])
    assert [child.name for child in found][:3] == [
        "000-population_size-4_objectives-a-b_path-x-y",
        "001-population_size-4_objectives-a-b_path-z",
        "002-population_size-4_objectives-c_path-x-y",
    ]
    long = children([f"job.path={'x' * 200},{'x' * 199}y"])
    for child in (*found, *long, *children(["seed=range(0,1200)"]), *children(["seed=1"])):
        assert NAME.fullmatch(child.name) and NAME.fullmatch(f"{child.name}.log")
    assert len({child.name for child in (*found, *long)}) == 10
    assert children(["seed=range(0,1200)"])[7].name == "0007-seed-7" and children([])[0].name == "000"


TOY = ("space=chain_landscape", "job=landscape")


def test_all_children_are_checked_and_the_first_bad_one_is_named() -> None:
    found = children([*TOY, "strategy=random", "window=1,0,2"])
    with pytest.raises(UsageError, match=r"child 001-window-0 \(.*window=0\): window is 0"):
        check(found, (), (), False, lambda n, child: None)
    told: list[tuple[int, Child]] = []
    checked = check(found, (), (), True, lambda n, child: told.append((n, child)))
    assert [child.refused is None for child in checked] == [True, False, True]
    assert told == list(enumerate(checked, 1))
    with pytest.raises(UsageError, match="child 000"):
        check(children([*TOY, "window=0,-1"]), (), (), True, lambda n, child: None)


def manifest(*found: Child) -> Manifest:
    return Manifest("2030-01-01", ("sweep",), (), ("mine",), found or (Child("000", ("seed=1",)),))


def test_a_manifest_reads_back(tmp_path: Path) -> None:
    written = manifest(Child("000-a", ("seed=1", "x='a b'")), Child("001-a", (), "no"))
    folder = SweepFolder(tmp_path / "sweep-one")
    folder.create(written)
    assert folder.manifest() == written
    assert [folder.standing(child).state for child in written.children] == ["waiting", "skipped"]
    with pytest.raises(UsageError, match="sweep resume one"):
        folder.create(written)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep-one"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format": 2}, "sweep format 2"),
        ({"children": []}, "damaged"),
        ({"children": [{"name": "../x", "overrides": [], "refused": None}]}, "damaged"),
        ({"children": [{"name": "0", "overrides": ["--allow-module"], "refused": None}]}, "damaged"),
        ({"children": [{"name": "0", "overrides": [], "refused": None}] * 2}, "damaged"),
        ({"children": [{"name": "0", "overrides": "a=1", "refused": None}]}, "damaged"),
        ({"config_dirs": None}, "damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(change: dict[str, Any], expected: str, tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "sweep-one")
    folder.create(manifest())
    path = folder.root / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=expected):
        folder.manifest()
    path.write_text("{")
    with pytest.raises(RunError, match="damaged"):
        folder.manifest()


def test_the_ways_to_name_a_sweep(tmp_path: Path) -> None:
    first, now = new_folder(tmp_path, None, datetime(2030, 1, 2, 3, 4, 5)), datetime(2030, 1, 2, 3, 4, 5)
    assert first.root == tmp_path / "sweep-2030-01-02-030405" and first.name == "2030-01-02-030405"
    first.create(manifest())
    assert new_folder(tmp_path, None, now).name == "2030-01-02-030405-2"
    assert find(first.name, tmp_path) == find("latest", tmp_path) == first
    assert find(str(first.root), Path("nowhere")) == first
    assert find("sweep-2030-01-02-030405", tmp_path) == first
    (tmp_path / "sweep-other").mkdir()
    with pytest.raises(UsageError, match="is no sweep"):
        new_folder(tmp_path, "other", now)
    for name in ("", "a b", "../x", "latest", "x" * 101):
        with pytest.raises(UsageError, match="--name"):
            new_folder(tmp_path, name, now)
    for reference in ("other", "nothing", "../x"):
        with pytest.raises(RunError, match="known: 2030"):
            find(reference, tmp_path)
    with pytest.raises(RunError, match="no sweep under"):
        find("latest", tmp_path / "empty")


@pytest.mark.parametrize(("count", "shown"), [(8, "s0, s1, s2, s3, s4, s5, s6, s7)"), (9, "s6, s7, ...)")])
def test_a_long_list_of_known_sweeps_says_that_it_goes_on(tmp_path: Path, count: int, shown: str) -> None:
    for n in range(count):
        SweepFolder(tmp_path / f"sweep-s{n}").create(manifest())
    with pytest.raises(RunError) as caught:
        find("nosuch", tmp_path)
    assert str(caught.value).endswith(shown)
