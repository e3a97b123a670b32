"""cache: results of other runs, recalled with all that decides about bits equal, and with nothing less."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.types import Candidate, Proposal
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.conduct import conduct
from evonas_cli.run.identity import identity
from evonas_cli.run.recalling import ResultKeys
from evonas_cli.run.replay import replay
from evonas_cli.run.session import create, reopen
from evonas_cli.run.stored import stored_config
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal
from evonas_cli.store.results import Results

TOY = ("space=bits", "space.length=12", "job=landscape", "strategy=random", "budget.evaluations=12")


def parts_of(*overrides: str) -> Parts:
    keys = {text.partition("=")[0] for text in overrides}
    keys |= {"space.length"} if "space" in keys else set()
    return assemble(compose([*[text for text in TOY if text.partition("=")[0] not in keys], *overrides]).config)


def made(root: Path, parts: Parts) -> RunDirectory:
    run = RunDirectory(root)
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    try:
        conduct(session)
    finally:
        session.close()
    return run


def entries(run: RunDirectory) -> list[dict[str, Any]]:
    return list(Journal(run.journal, write=False))


def sources(run: RunDirectory) -> list[str | None]:
    return [entry.get("labels", {}).get("recalled") for entry in entries(run)]


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return f"cache={tmp_path / 'kept' / 'cache.sqlite'}"


def test_a_search_with_a_cache_is_the_search_without(tmp_path: Path, cache: str) -> None:
    plain = made(tmp_path / "plain", parts_of())
    first, second = made(tmp_path / "first", parts_of(cache)), made(tmp_path / "second", parts_of(cache))
    assert sources(plain) == sources(first) == [None] * 12
    assert sources(second) == [f"first ({first.mark()[:12]}), candidate {id}" for id in range(12)]
    digests = {verify(run, parts_of()).digest for run in (plain, first, second)}
    assert len(digests) == 1
    assert [entry["metrics"] for entry in entries(second)] == [entry["metrics"] for entry in entries(plain)]
    assert all(entry["seconds"] == 0 for entry in entries(second))
    assert identity(parts_of(cache).config) == identity(parts_of().config)


def test_a_replay_needs_no_cache_and_finds_the_same_bits(tmp_path: Path, cache: str) -> None:
    made(tmp_path / "first", parts_of(cache))
    second = made(tmp_path / "second", parts_of(cache))
    (tmp_path / "kept" / "cache.sqlite").unlink()
    parts = parts_of(cache)
    assert verify(second, parts).problems == []
    assert set(dict(replay(second, parts)).values()) == {None}
    assert not (tmp_path / "kept" / "cache.sqlite").exists()


def test_a_longer_search_recalls_what_it_shares(tmp_path: Path, cache: str) -> None:
    made(tmp_path / "first", parts_of(cache))
    run = made(tmp_path / "longer", parts_of(cache, "budget.evaluations=20", "window=3"))
    assert [source is None for source in sources(run)] == [False] * 12 + [True] * 8
    assert None not in sources(made(tmp_path / "again", parts_of(cache, "budget.evaluations=20")))


@pytest.mark.parametrize(
    "change", ["seed=1", "space.length=13", "job.noise=0.02", "evaluator.threads=2", "deterministic=false"]
)
def test_never_across_a_changed_key(change: str, tmp_path: Path, cache: str) -> None:
    made(tmp_path / "first", parts_of(cache))
    assert set(sources(made(tmp_path / "second", parts_of(cache, change)))) == {None}


@pytest.mark.parametrize("where", ["evonas_cli.run.recalling.__version__", "evonas_cli.run.recalling.RESULTS"])
def test_never_across_versions(where: str, tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "first", parts_of(cache))
    monkeypatch.setattr(where, "another")
    assert set(sources(made(tmp_path / "second", parts_of(cache)))) == {None}


ASKED = st.tuples(
    st.integers(0, 3), st.sampled_from([0.5, 1.0]), st.integers(1, 3), st.integers(0, 2),
    st.tuples(*[st.integers(0, 1)] * 2), st.sampled_from(["one", "two"]), st.sampled_from(["cpu", "cuda"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(one=ASKED, other=ASKED)
def test_keys_are_equal_where_everything_is(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    parts = parts_here()

    def key(asked: tuple[Any, ...]) -> str | None:
        seed, fidelity, width, place, genome, data, device = asked
        keys = ResultKeys(parts, {"data": data, "device": device, "strategy_torch": seed})
        return keys(Candidate(seed, 0, seed, Proposal(genome, fidelity=fidelity)), width, place)

    assert (key(one) == key(other)) is (one == other)


def parts_here(found: list[Parts] = []) -> Parts:  # noqa: B006
    found += [] if found else [parts_of("space.length=2")]
    return found[0]


@pytest.mark.parametrize(
    "proposal", [Proposal((0, 1), continues=0), Proposal((0, 1), options={}), Proposal((0, 1), job="size"),
                 Proposal((0, 1), again=True)],
)  # fmt: skip
def test_what_depends_on_more_has_no_key(proposal: Proposal[Any]) -> None:
    assert ResultKeys(parts_here(), {})(Candidate(0, 0, 0, proposal), 1, 0) is None


def test_trainings_are_recalled_to_the_bit(tmp_path: Path, cache: str) -> None:
    words = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "job=train", "dataset=digits",
             "dataset.limit=100", "trainer.epochs=1", "device=cpu", "evaluator=serial", "strategy=random",
             "budget.evaluations=4", "dedupe=function")  # fmt: skip
    first, second = (
        made(tmp_path / "first", parts_of(*words, cache)),
        made(tmp_path / "second", parts_of(*words, cache)),
    )
    assert None not in sources(second) and sources(first) == [None] * 4
    assert verify(first, parts_of(*words)).digest == verify(second, parts_of(*words)).digest
    assert [e["labels"]["network"] for e in entries(first)] == [e["labels"]["network"] for e in entries(second)]
    assert all(e["metrics"]["train_seconds"] == 0 and e["metrics"]["cost"] > 0 for e in entries(second))


def test_an_interrupted_search_goes_on_with_it(tmp_path: Path, cache: str) -> None:
    broken = parts_of(cache, "evaluator=fake", "evaluator.break_after=5")
    run = RunDirectory(tmp_path / "run")
    session = create(run, broken, {}, lambda candidate, result: None, ["search"])
    with pytest.raises(EnvironmentFailure):
        conduct(session)
    session.close()
    session = reopen(run, parts_of(cache), lambda candidate, result: None)
    conduct(session)
    session.close()
    again = made(tmp_path / "again", parts_of(cache))
    assert None not in sources(again)
    assert verify(run, parts_of()).digest == verify(again, parts_of()).digest


@pytest.mark.parametrize("damage", ["garbage", "truncated", "row", "empty"])
def test_a_damaged_file_is_set_aside(damage: str, tmp_path: Path, cache: str, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path / "first", parts_of(cache))
    path = tmp_path / "kept" / "cache.sqlite"
    if damage == "row":
        with sqlite3.connect(path) as file:
            file.execute("UPDATE results SET result = replace(result, '0.', '1.')")
        file.close()
    else:
        raw = path.read_bytes()
        path.write_bytes({"garbage": b"\xff" * len(raw), "truncated": raw[: len(raw) // 2], "empty": b""}[damage])
    run = made(tmp_path / "second", parts_of(cache))
    assert set(sources(run)) == {None} and verify(run, parts_of()).problems == []
    assert path.with_name("cache.sqlite.moved").exists() is (damage != "empty")
    assert ("is damaged" in caplog.text) is (damage != "empty")
    assert None not in sources(made(tmp_path / "third", parts_of(cache)))


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    code = (
        "import sys\nfrom pathlib import Path\nfrom evonas_cli.store.results import Results\n"
        "results = Results(Path(sys.argv[1]))\n"
        "for n in range(40): results.put(f'{n % 30}', {'n': n % 30}); results.put(f'{sys.argv[2]}-{n}', {'n': n})\n"
        "assert results.open\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b")]
    assert [process.wait(60) for process in processes] == [0, 0]
    results = Results(path)
    assert all(results.get(f"{n}") == {"n": n} for n in range(30))
    assert all(results.get(f"{name}-{n}") == {"n": n} for name in "ab" for n in range(40))
    assert results.get("another") is None
    results.close()


def test_a_file_that_is_held_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("evonas_cli.store.results.WAIT_SECONDS", 0.05)
    results = Results(tmp_path / "cache.sqlite")
    other = sqlite3.connect(tmp_path / "cache.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    results.put("one", {})
    other.close()
    assert not results.open and results.get("one") is None
    assert caplog.text.count("the search goes on without it") == 1


def test_files_that_are_none_of_its_own_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "theirs") as file:
        file.execute("CREATE TABLE mine (x)")
    file.close()
    with pytest.raises(UsageError, match="is another program's database; choose another path"):
        Results(tmp_path / "theirs")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Exception, match="folder"):
        Results(tmp_path / "folder")
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailure, match="cannot open the cache .*set cache=off or another path"):
        Results(tmp_path / "file" / "cache.sqlite")


CONTINUED = ("strategy.continues=true", "trainer.save_state=true", "budget.evaluations=60")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("space=hyperparameters", "job=train", "strategy=halving", *CONTINUED), "hands trained weights on"),
        (("space=hyperparameters", "job=train", "trainer.save_state=true"), "keeps weights"),
        (("space=hyperparameters", "job=train", "objectives=[train_seconds]", "deterministic=false"), "measured anew"),
        (("cache=",), "cache is"),
        (("cache=null",), "cache is null; it must be a word"),
    ],
)
def test_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parts_of(*words, *(() if "cache" in words[0] else ("cache=on",)))


def test_on_is_a_file_in_the_outputs_and_older_runs_have_none(
    tmp_path: Path, evonas_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert evonas_here("search", *TOY, "cache=on", "--run-dir", "one").returncode == 0
    assert (tmp_path / "outputs" / "cache.sqlite").is_file()
    done = evonas_here("search", *TOY, "cache=on", "--run-dir", "two")
    assert done.returncode == 0 and "cached: one (" in done.stderr
    document = json.loads(evonas_here("show", "two", "--json").stdout)
    assert document["cached"] == 12
    written = tmp_path / "one" / "config.yaml"
    written.write_text("".join(line for line in written.read_text().splitlines(True) if not line.startswith("cache:")))
    assert stored_config(RunDirectory(tmp_path / "one"))["cache"] == "off"
