"""What of `evaluator=ray` is settled before a cluster is asked: settings, what is missing, what a node must have."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.evaluation import ray_cluster
from evonas_cli.evaluation.ray_actor import Home, versions
from evonas_cli.evaluation.ray_cluster import Cluster, check_address
from evonas_cli.evaluation.ray_pool import Share
from evonas_cli.evaluation.ray_transport import _token
from evonas_cli.store.directory import RunDirectory


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"workers": None}, "evaluator.workers is null"),
        ({"workers": 2, "cpus": 0}, "evaluator.cpus is 0; it must be above 0"),
        ({"workers": 2, "gpus": -1.0}, "evaluator.gpus is -1.0; it must be 0 or more"),
        ({"workers": 2, "device": "cuda"}, "device=cuda needs evaluator.gpus above 0"),
        ({"workers": 2, "device": "cpu", "gpus": 0.5}, "evaluator.gpus=0.5 and device=cpu contradict each other"),
    ],
)
def test_settings_that_fit_no_cluster_are_refused(settings: dict[str, float], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        Share(**settings)  # type: ignore[arg-type]


def test_a_worker_takes_as_many_cpus_as_it_has_threads() -> None:
    assert Share(workers=3, threads=4).needs == {"CPU": 4.0}
    assert Share(workers=3, threads=4, cpus=0.5, gpus=0.25).needs == {"CPU": 0.5, "GPU": 0.25}
    assert Share(workers=3).places == [None] and Share(workers=3).slots == 3


def test_an_address_is_one_of_four() -> None:
    for address in ("auto", "local", "10.0.0.1:6379", "ray://head:10001"):
        check_address(address)
    for address in ("head", "ray://head", "head:port", ":6379", ""):
        with pytest.raises(UsageError, match="use auto, local, HOST:PORT or ray://HOST:PORT"):
            check_address(address)


def test_where_nothing_answers_there_is_no_cluster() -> None:
    with pytest.raises(EnvironmentFailure, match="evaluator.address=127.0.0.1:9: nothing answers there"):
        Cluster("127.0.0.1:9")


def test_a_node_needs_the_versions_the_folder_and_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    token = _token(RunDirectory(tmp_path / "run"))
    assert token is not None and token[0] == str(tmp_path / ".run.evonas-ray")
    here = Home(str(tmp_path), (), versions(), token)
    assert here.missing() is None
    other = Home(str(tmp_path), (), {**versions(), "Python": "3.1"}, token)
    assert "and the machine that searches has 3.1" in str(other.missing())
    assert "cannot enter the folder /nowhere" in str(Home("/nowhere", (), versions(), token).missing())
    Path(token[0]).write_text("of another file system")
    assert "does not see the run's folder" in str(here.missing())
    os.unlink(token[0])
    assert "does not see the run's folder" in str(here.missing())


def test_the_file_of_a_new_run_lies_above_it(tmp_path: Path) -> None:
    token = _token(RunDirectory(tmp_path / "outputs" / "day" / "run"))
    assert token is not None and Path(token[0]).parent == tmp_path


def test_room_is_counted_for_each_need() -> None:
    assert ray_cluster._room({"CPU": 8.0, "GPU": 1.0}, {"CPU": 1.0, "GPU": 0.1}) == 8
    assert ray_cluster._room({"CPU": 8.0, "GPU": 0.3}, {"CPU": 1.0, "GPU": 0.1}) == 3
    assert ray_cluster._room({"CPU": 8.0}, {"CPU": 1.0, "GPU": 0.1}) == 0


def test_without_ray_a_dry_run_says_how_to_get_it(
    evonas_here: Callable[..., CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None if name == "ray" else found(name))
    words = ("search", "evaluator=ray", "job=landscape", "space=bits", "strategy=random")
    done = evonas_here(*words, "budget.evaluations=4", "--dry-run")
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith(
        "evonas: evaluator=ray needs the package ray, which is not installed; pip install 'evonas[ray]'"
    )


def test_ray_is_loaded_by_those_alone_who_connect() -> None:
    code = "import sys, evonas_cli.evaluation.ray_pool; assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
