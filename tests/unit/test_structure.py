"""The direction of imports, what stays light, and that every configuration leaf binds to its constructor."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

import evonas_cli
from evonas_cli.config.build import target
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import conf_root, options
from evonas_cli.config.settings import EXPERIMENT, GROUPS
from evonas_cli.run.assembly import assemble

PACKAGE = Path(evonas_cli.__file__).parent
ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "network": {"core"},
    "genomes": {"core", "network"},
    "evolution": {"core", "network", "genomes"},
    "surrogates": {"core", "network", "genomes"},
    "spaces": {"core", "network", "genomes", "evolution"},
    "walks": {"core", "network", "genomes"},
    "strategies": {"core", "network", "genomes", "evolution", "surrogates", "walks"},
    "nn": {"core", "network"},
    "data": {"core", "network"},
    "training": {"core", "network", "genomes", "nn", "data"},
    "jobs": {"core", "network", "genomes", "nn", "data", "training"},
    "config": {"core"},
    "store": {"core"},
    "evaluation": {"core", "network"},
    "run": {"core", "network", "genomes", "nn", "training", "config", "store", "evaluation"},
    "sweep": {"core", "config", "store", "run"},
    "torture": {"core", "jobs", "config", "store", "run"},
    "report": {"core", "network", "genomes", "config", "store", "run"},
    "bench": {"core", "network", "genomes", "nn", "data", "training", "jobs", "evaluation", "config", "store", "run"}
    | {"report"},
    "export": {"core", "network", "nn", "data", "training", "config", "store", "run", "report"},
    "auto": {
        "core",
        "genomes",
        "network",
        "data",
        "training",
        "config",
        "store",
        "evaluation",
        "run",
        "report",
        "export",
    },
    "compression": {
        "core",
        "network",
        "genomes",
        "nn",
        "data",
        "training",
        "config",
        "store",
        "run",
        "report",
        "export",
    },
    "explain": {
        "core",
        "network",
        "genomes",
        "evolution",
        "surrogates",
        "nn",
        "data",
        "training",
        "jobs",
        "config",
        "store",
        "run",
        "report",
        "export",
    },
    "cli": {"core", "genomes", "config", "store", "evaluation", "run", "sweep", "report", "export", "bench"}
    | {"training", "compression", "explain", "auto", "torture"},
    "trackers": {"core"},
    "api": {"core", "nn", "config", "store", "run", "report"},
    "testing": {"core", "network", "genomes", "config", "store", "evaluation", "run"},
    "__main__": {"cli"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], path


def imported(path: Path) -> set[str]:
    """Names below evonas_cli that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            module = node.module or ""
            names = [module] if module != "evonas_cli" else [f"evonas_cli.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("evonas_cli.")}
    return found - {"__version__", "RESULTS"}


def test_imports_point_one_way() -> None:
    seen = set()
    for part, path in modules():
        seen.add(part)
        wrong = imported(path) - ALLOWED[part] - {part}
        assert not wrong, f"{path.relative_to(PACKAGE)} imports {sorted(wrong)}"
    assert seen == set(ALLOWED)


def test_spaces_and_strategies_do_not_know_each_other() -> None:
    for part, path in modules():
        if part in ("spaces", "strategies") and path.name != "__init__.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            siblings = {
                node.module
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"evonas_cli.{part}")
            }
            siblings = {name for name in siblings if not name.startswith("evonas_cli.strategies.controllers")}
            assert not siblings, f"{path.name} imports {siblings}"


LIGHT = [
    "core",
    "network",
    "genomes",
    "evolution",
    "surrogates",
    "spaces",
    "walks",
    "strategies",
    "store",
    "config",
    "run",
    "sweep",
    "torture",
    "report",
    "auto",
    "cli",
    "jobs",
    "evaluation",
    "trackers",
]


def test_torch_stays_out_of_what_trains_nothing() -> None:
    names = [
        ".".join(("evonas_cli", *path.relative_to(PACKAGE).with_suffix("").parts))
        for part, path in modules()
        if part in LIGHT and path.name != "__init__.py" and path.parent.name != "controllers"
    ]
    assert {name.split(".")[1] for name in names} == set(LIGHT)
    code = (
        "import sys, importlib\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, f'{name} imports torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_torchs_compiler_stays_out_of_trainings(tmp_path: Path) -> None:
    words = ("strategy=random", "budget.evaluations=2", "dataset.limit=100", "trainer.epochs=1", "evaluator=serial")
    small = ("space=chain_cnn", "space.layers=2", "space.filters=[2]", "device=cpu", "--quiet")
    code = (
        "import sys\nfrom evonas_cli.cli.app import run\n"
        f"assert run(['search', *{words + small!r}, '--run-dir', {str(tmp_path / 'run')!r}]) == 0\n"
        "heavy = {'torch._dynamo', 'torch._inductor', 'sympy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom evonas_cli.cli.app import run\n"
        "verbs = ['search'], ['verify'], ['compare'], ['sweep'], ['bench'], ['bench', 'strategies'], ['metrics'], []\n"
        "for words in verbs: assert run([*words, '--help']) == 0\n"
        "heavy = {'torch', 'pandas', 'hydra', 'omegaconf', 'numpy', 'scipy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def leaves() -> list[Any]:
    return [
        pytest.param(group, name, path, id=f"{group}/{name}")
        for group in GROUPS
        for name, path in options(group).items()
    ]


def test_all_leaves_are_found() -> None:
    files = {path for path in conf_root().rglob("*.yaml") if path.name != "config.yaml"}
    assert files == {param.values[2] for param in leaves()} | set(options(EXPERIMENT).values())
    assert len(files) >= 20


@pytest.mark.parametrize(("group", "name", "path"), leaves())
def test_leaf_binds_to_its_constructor(group: str, name: str, path: Path) -> None:
    node: Any = OmegaConf.to_container(OmegaConf.load(path))
    signature = inspect.signature(target(node, group))
    settings = {key for key in node if key != "defaults" and not (key.startswith("_") and key.endswith("_"))}
    assert settings <= set(signature.parameters)
    assert not any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
    collaborators = {"space", "dataset", "trainer", "seed", "device", "deterministic", "threads", "wanted"}
    collaborators |= {"job", "context", "stop_request"}
    unset = set(signature.parameters) - settings - collaborators
    assert not unset, f"{path.name} does not show {sorted(unset)}"


@pytest.mark.parametrize("name", options(EXPERIMENT))
def test_experiment_fits_together(name: str) -> None:
    overrides = [f"experiment={name}"]
    node: Any = OmegaConf.to_container(OmegaConf.load(options(EXPERIMENT)[name]))
    groups = {next(iter(entry)).removeprefix("override /") for entry in node["defaults"]}
    assert groups == set(GROUPS) - {"evaluator", "tracker"}, "it chooses all but where it runs and is followed"
    assert assemble(compose(overrides).config).config["budget"] is not None


def test_files_and_functions_stay_small() -> None:
    for _, path in modules():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, f"{path} is too long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.body[0].lineno + 1
                assert length <= 50, f"{path.name}: {node.name} has {length} lines"
