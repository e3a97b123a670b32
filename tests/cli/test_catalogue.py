"""The catalogue's verbs show every part, what its settings mean and what it goes with, the user's own as well."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from evonas_cli.cli.app import app, run
from evonas_cli.cli.completing import CATALOGUE as VERBS
from evonas_cli.cli.entries import kind_of, shorter
from evonas_cli.cli.help import EXAMPLES, SECTIONS
from evonas_cli.cli.tables import aligned, markdown
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import options
from evonas_cli.config.meanings import experiment, leaf
from evonas_cli.data.digits import Digits
from evonas_cli.data.pattern import Pattern
from evonas_cli.data.planar import Xor
from evonas_cli.data.scenes import Scenes
from evonas_cli.data.table import Csv
from evonas_cli.data.tasks import Tasks
from evonas_cli.network.metrics import METRICS, meaning


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words that must succeed without a remark; returns what they print."""

    def check(*words: str) -> str:
        assert run(list(words)) == 0, capsys.readouterr().err
        out, error = capsys.readouterr()
        assert error == ""
        return out

    return check


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A user's space, strategy, job and experiment; returns the words that make them known."""
    files = {
        "space/coins.yaml": "_target_: own_parts.Coins\nn: 3  # How many coins.\nbias: 0.5\n",
        "space/broken.yaml": "_target_: own_parts.Coins\nm: 3\n",
        "strategy/one.yaml": "_target_: own_parts.One\n",
        "job/weigh.yaml": "_target_: own_parts.Weigh\nscale: ???\n",
        "experiment/flip.yaml": "# @package _global_\ndefaults:\n  - override /space: coins\nspace:\n  n: 9  # many\n",
    }
    for name, text in files.items():
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(text)
    (tmp_path / "own_parts.py").write_text(
        "from evonas_cli.core.demands import Demands\n"
        "from evonas_cli.core.types import Metric\n"
        "class Coins:\n"
        "    '''Coins in a row. More.'''\n"
        "    def __init__(self, n=3, bias=0.5): pass\n"
        "    def sample(self, rng): return ''\n"
        "    def to_json(self, genome): return genome\n"
        "    def from_json(self, data): return data\n"
        "class One:\n"
        "    '''Asks once.'''\n"
        "    demands = Demands()\n"
        "    def __init__(self, space): self.space = space\n"
        "class Weigh:\n"
        "    '''Weighs.'''\n"
        "    metrics = {'grams': Metric('max', measured=True)}\n"
        "    def __init__(self, scale: str): assert scale\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_parts", raising=False)
    return ["--config-dir", "conf", "--allow-module", "own_parts"]


def test_metrics_of_the_test_part_have_a_meaning_where_those_of_the_validation_part_have_one() -> None:
    assert meaning("test_f1") == "As valid_f1, over the test part; never an objective."
    assert meaning("test_of_a_user") == ""


@pytest.mark.parametrize("verb", VERBS)
def test_a_list_has_a_line_for_each_part(say: Callable[..., str], verb: str) -> None:
    lines = say(verb).splitlines()
    assert [line.split()[0] for line in lines] == list(options(VERBS[verb]))
    assert all(len(line.split()) > 2 for line in lines), "each part is described"
    described = [line.split(maxsplit=1)[1] for line in lines]
    assert len(set(described)) == len(described), "no two parts are described alike"


PARTS = [pytest.param(verb, name, id=f"{verb}/{name}") for verb, group in VERBS.items() for name in options(group)]


@pytest.mark.parametrize(("verb", "name"), PARTS)
def test_a_part_is_shown_with_every_setting_and_its_meaning(say: Callable[..., str], verb: str, name: str) -> None:
    path = options(VERBS[verb])[name]
    found = experiment(path) if verb == "experiments" else leaf(path)
    shown = say(verb, name)
    flat = " ".join(shown.split())
    assert shown.startswith(f"{VERBS[verb]}={name}\n\n")
    for setting in found.settings:
        assert " ".join(setting.meaning.split()) in flat
        assert setting.block or f"\n{setting.key}: " in shown
    document = json.loads(say(verb, name, "--json"))[VERBS[verb]][name]
    assert document["meanings"] == {one.key: one.meaning for one in found.settings if one.meaning}


def test_strategies_and_spaces_name_each_other(say: Callable[..., str]) -> None:
    strategies = json.loads(say("strategies", "--json"))["strategy"]
    spaces = json.loads(say("spaces", "--json"))["space"]
    table = json.loads(say("strategies", "--table", "--json"))["table"]
    assert set(table) == set(strategies) and all(set(row) == set(spaces) for row in table.values())
    for strategy, row in table.items():
        for space, fits in row.items():
            assert fits == (space in strategies[strategy]["spaces"]) == (strategy in spaces[space]["strategies"])
            assert fits != (space in strategies[strategy]["lacking"])
    assert all(table["random"].values()) and not table["grid"]["chain_cnn"] and table["grid"]["nasbench201"]
    assert spaces["chain_cnn"]["lacking"]["grid"] == "it has no choices"
    assert [row["nasbench201"] for name, row in table.items() if name in ("evograd", "neat", "nsga2")] == [0, 0, 1]
    assert "strategies: all but " in say("spaces")


def test_the_table_as_text_and_markdown(say: Callable[..., str]) -> None:
    head, *rows = say("strategies", "--table").splitlines()
    assert head.split() == list(options("space")) and [row.split()[0] for row in rows] == list(options("strategy"))
    place = head.index("chain_cnn")
    marks = {row.split()[0]: row[place : place + 1].strip() for row in rows}
    assert (marks["random"], marks["grid"]) == ("x", "")
    lines = say("strategies", "--table", "--format", "markdown").splitlines()
    assert lines[0].startswith("|  | `") and set(lines[1]) == set("| -") and len(lines) == len(rows) + 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--format", "html"), "--format is 'html'; it must be one of text, markdown"),
        (("--format", "markdown"), "add --table"),
        (("genetic", "--table"), "drop genetic, or --table"),
    ],
)
def test_tables_that_cannot_be(refused: Callable[..., str], words: tuple[str, ...], expected: str) -> None:
    assert expected in refused(2, "strategies", *words)


@pytest.mark.parametrize("verb", [*VERBS, "metrics"])
def test_unknown_names_and_folders(refused: Callable[..., str], verb: str) -> None:
    assert "(known: " in refused(2, verb, "nonsense")
    assert "--config-dir nowhere is no folder" in refused(2, verb, "--config-dir", "nowhere")


def test_metrics_have_directions_kinds_jobs_and_meanings(say: Callable[..., str]) -> None:
    found: dict[str, Any] = json.loads(say("metrics", "--json"))["metric"]
    for kind, metrics in METRICS.items():
        for name, metric in metrics.items():
            assert kind in found[name]["kinds"] and found[name]["direction"] == metric.direction
    assert not [name for name, one in found.items() if not one["meaning"] or not one["jobs"]]
    assert set(options("job")) == {job for one in found.values() for job in one["jobs"]}
    measured = {name for name, one in found.items() if one["measured"]}
    assert measured == {"train_seconds", "latency_ms", "latency_spread_ms", "peak_memory_mb", "energy_j"}
    assert found["train_eval_error"]["meaning"].startswith("As valid_error")
    lines = say("metrics").splitlines()
    assert [line.split()[0] for line in lines] == ["metric", *found]
    assert say("metrics", "valid_auroc").splitlines()[1].split() == ["better", "max"]
    assert meaning("grams") == meaning("train_eval_grams") == ""


def test_parts_of_the_users_own(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: str) -> tuple[str, str]:
        assert run([*words, *own]) == 0, capsys.readouterr().err
        found = capsys.readouterr()
        return found.out, found.err

    line = next(line for line in shown("spaces")[0].splitlines() if line.startswith("coins "))
    assert "Coins in a row. More [strategies: extrapolation, halving, hyperband, one, random]" in line
    text = shown("spaces", "coins")[0]
    assert (
        "\nn: 3\n    How many coins.\nbias: 0.5\n" in text
        and "; evograd, genetic, grid, local_search, nsga2, population_based_training (it has no choices)" in text
    )
    assert shown("spaces", "broken")[0].count("space has no key m") == 1, "a reason is told once"
    table = json.loads(shown("strategies", "--table", "--json")[0])["table"]
    assert table["one"]["coins"] and table["one"]["bits"] and not table["one"]["broken"]
    assert "comes with space=coins" in (text := shown("experiments", "flip")[0])
    assert "\nspace.n: 9\n    many. How many coins.\n" in text
    grams = json.loads(shown("metrics", "--json")[0])["metric"]["grams"]
    assert grams == {"direction": "max", "measured": True, "kinds": [], "jobs": ["weigh"], "meaning": ""}


def test_a_job_that_cannot_be_built_hides_no_metrics(own: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("conf/job/weigh.yaml").write_text("_target_: own_parts.Weigh\nother: 1\n")
    assert run(["metrics", *own]) == 0
    found = capsys.readouterr()
    assert "valid_error" in found.out and "grams" not in found.out
    assert found.err.startswith("evonas: conf/job/weigh.yaml: job has no key other") and found.err.count("\n") == 1


def test_a_space_that_the_default_strategy_cannot_serve(own: list[str], refused: Callable[..., str]) -> None:
    Path("conf/space/broken.yaml").unlink()
    line = refused(2, "search", "space=coins", "job=landscape", *own)
    assert "strategies that serve coins: extrapolation, halving, hyperband, one, random (" in line
    assert "(Coins: it has no choices)" in line
    known = "spaces that are: augmentation_policy, backbone, bits"
    assert known in refused(2, "search", "space=chain_cnn", "strategy=grid")
    assert "jobs that serve bits: landscape, table (" in refused(2, "search", "space=bits")
    assert "spaces that are: codeepneat (" in refused(2, "search", "strategy=codeepneat", "space=bits")


def test_what_needs_no_torch_loads_none() -> None:
    code = (
        "import sys\nfrom evonas_cli.cli.app import run\n"
        "for verb in ('spaces', 'strategies', 'trainers', 'jobs', 'experiments', 'metrics'): assert run([verb]) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_kinds_of_data_sets() -> None:
    sequences = type("Sequences", (), {"corpus": None})
    assert kind_of(sequences, {"kind": "auto"}) == "tokens" and kind_of(object, {}) == ""
    assert kind_of(Digits, {}) == kind_of(Xor, {}) == kind_of(Tasks, {}) == "classes" and kind_of(Scenes, {}) == "boxes"
    assert kind_of(Csv, {"kind": "auto"}) == "as the targets say" and kind_of(Pattern, {}) == "numbers"
    assert (
        kind_of(object, {"kind": "numbers"}) == "numbers" and kind_of(object, {"kind": "auto"}) == "as the targets say"
    )


def test_names_as_briefly_as_can_be() -> None:
    assert shorter("abc", "abc") == "all" and shorter("abc", "abcd") == "all but d"
    assert shorter("a", "abcd") == "a" and shorter("", "abcd") == "none"


def test_cells_of_tables() -> None:
    assert aligned([("a", "b"), ("long", "")]) == "a     b\nlong"
    assert markdown([("a",), ("b|c",)]) == "| a |\n| --- |\n| b\\|c |"


def commands() -> dict[str, Any]:
    """Every command by its words; groups as well."""
    top: Any = get_command(app)
    found = dict(top.commands)
    return found | {f"bench {name}": command for name, command in found["bench"].commands.items()}


def test_help_has_headings_in_the_order_of_a_day(say: Callable[..., str]) -> None:
    text = say("--help")
    places = [text.index(f"\n{heading}:\n") for heading in SECTIONS]
    assert places == sorted(places)
    listed = re.findall(r"^  ([a-z-]+) ", text[places[0] :], re.MULTILINE)
    assert listed[:3] == ["search", "resume", "sweep"] and set(listed) == {n for n in commands() if " " not in n}


@pytest.mark.parametrize("verb", commands())
def test_each_verb_has_an_example_that_works(say: Callable[..., str], verb: str) -> None:
    assert verb in EXAMPLES, f"write an example for evonas {verb} in cli/help.py"
    shown = " ".join(say(*verb.split(), "--help").split())
    assert shown.endswith(f" Example: evonas {EXAMPLES[verb]}")
    words = shlex.split(EXAMPLES[verb])
    assert words[: len(verb.split())] == verb.split()
    own = max((name for name in commands() if words[: len(name.split())] == name.split()), key=len)
    commands()[own].make_context(own, words[len(own.split()) :])
    if own in VERBS or own == "metrics":
        assert say(*words)
    elif own != "sweep":
        compose([word for word in words if re.fullmatch(r"[a-z_.]+=\S+", word)])
