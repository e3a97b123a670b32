"""The pool over a Ray cluster of two nodes on this machine: its workers, its runs, and what dies under them."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from made import make

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.evaluation import ray_cluster, ray_transport
from evonas_cli.testing import evaluators as contract
from evonas_cli.testing.doubling import Doubling, alone, candidate
from evonas_cli.testing.evaluators import collect

# Ray must not be loaded here: it looks for its token when it is.
missing = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'evonas[ray]'")
pytestmark = [pytest.mark.ray, missing]

Run = Callable[..., CompletedProcess[str]]
LAWS = (
    contract.every_id_comes_back_once,
    contract.a_wrong_setting_found_late_is_still_a_wrong_setting,
    contract.what_stops_at_its_deadline_goes_on_later,
)
"""Those that a transport could break; the others are kept by code that all transports share."""
TRAINING = ("space=nasbench201", "space.channels=4", "strategy=random", "budget.evaluations=6", "dataset.limit=100")
SEARCH = (*TRAINING, "trainer.epochs=1", "device=cpu", "--quiet")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head and a node of one CPU each, with a token of their own; this process is connected."""
    token = tmp_path_factory.mktemp("token") / "auth_token"
    token.write_text("0123456789abcdef" * 2, encoding="utf-8")
    settings = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": ray_cluster.LOCAL_STORE, "include_dashboard": False}
        handler = signal.getsignal(signal.SIGTERM)
        found = Cluster(initialize_head=True, head_node_args=node)
        found.second = found.add_node(**{**node, "include_dashboard": None})
        ray.init(found.address, log_to_driver=False, logging_level="ERROR")
        signal.signal(signal.SIGTERM, handler)
        yield found
        ray.shutdown()
        found.shutdown()


@pytest.mark.parametrize("law", LAWS)
def test_the_law_holds_in_a_cluster(law: Callable[[contract.Make], None], cluster: Any, tmp_path: Path) -> None:
    law(lambda job: make("ray", tmp_path, job, address=cluster.address, workers=1))


def test_a_killed_actor_is_replaced_and_its_candidate_tried_again(cluster: Any, tmp_path: Path) -> None:
    pool = make("ray", tmp_path / "run", Doubling(), address=cluster.address, workers=1)
    pool.start()
    assert (tmp_path / ".run.evonas-ray").exists()
    pool.submit(alone(candidate(0, -2), candidate(1, 3)))
    results = collect(pool, 2)
    pool.submit(alone(candidate(2, -3)))
    assert [result.metrics["double"] for result in results] == [-4.0, 6.0]
    with pytest.raises(EnvironmentFailure, match=r"candidate 2 lost its worker 2 times, .* \(node .*: SYSTEM_ERROR\)"):
        collect(pool, 1)
    pool.close()
    assert not (tmp_path / ".run.evonas-ray").exists()


def test_what_never_fits_is_refused_at_once(cluster: Any, tmp_path: Path) -> None:
    pool = make("ray", tmp_path, address=cluster.address, workers=2, cpus=2)
    with pytest.raises(
        EnvironmentFailure, match="workers=2 with 2 CPU each do not fit.*room for 0.*1 CPU, 0 GPU; 1 CPU"
    ):
        pool.start()
    pool.close()


def test_a_node_that_does_not_see_the_run_is_refused(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_transport, "_token", lambda context: (str(tmp_path / "elsewhere" / ".token"), "x"))
    pool = make("ray", tmp_path, address=cluster.address, workers=1)
    with pytest.raises(
        EnvironmentFailure, match="could not start: node .* does not see the run's folder in .*elsewhere"
    ):
        pool.start()
    pool.close()


def lines(run: Path) -> int:
    """How many results are recorded."""
    journal = run / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def actors() -> list[int]:
    """Processes of workers in the cluster, by id."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            try:
                words = (path / "cmdline").read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            if words.startswith(b"ray::Slot"):
                found.append(int(path.name))
    return sorted(found)


def after_two(run: Path, act: Callable[[], object]) -> tuple[threading.Thread, list[int]]:
    """Acts once two results are recorded; how many there were then, once it has acted."""
    recorded: list[int] = []

    def wait() -> None:
        deadline = time.monotonic() + 200
        while lines(run) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        count = lines(run)
        act()
        recorded.append(count)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, recorded


def test_runs_of_a_cluster_that_falls_apart_have_the_digest_of_an_unbroken_one(
    cluster: Any, evonas_here: Run, tmp_path: Path
) -> None:
    assert evonas_here("search", *SEARCH, "evaluator=serial", "--run-dir", "serial").returncode == 0
    there = ("evaluator=ray", f"evaluator.address={cluster.address}", "evaluator.workers=2")
    acts: dict[str, Callable[[], object]] = {
        "killed": lambda: os.kill(actors()[0], signal.SIGKILL),
        "removed": lambda: cluster.remove_node(cluster.second, allow_graceful=False),
    }
    for name, act in acts.items():
        thread, recorded = after_two(tmp_path / name, act)
        done = evonas_here("search", *SEARCH, *there, "--run-dir", name)
        thread.join()
        assert len(recorded) == 1 and recorded[0] < 6, "nothing died in the middle of the run"
        assert done.returncode == 0, done.stderr
    digests = [json.loads(evonas_here("verify", "--json", name).stdout)["digest"] for name in ("serial", *acts)]
    assert len(set(digests)) == 1
