"""Children inherit weights in the train job: by morphs or matching, in stacks, on resuming; what is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from benches import bench
from training_jobs import Folders, candidate, job, repeatable

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import LOST, Heir, Origin, Result, Unit
from evonas_cli.genomes.morphing import Morphed
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.training.checkpoint import KEPT, Checkpoint
from evonas_cli.training.inheritance import BATCH
from evonas_cli.training.state import Progress

SPACE = LayeredCnn(start_blocks=1, start_filters=4)
START = SPACE.start()
DEEPER = [{"morph": "deepen", "at": 3, "kernel": 3}, {"morph": "batch_norm", "at": 4}]
PRUNED = [{"morph": "prune", "at": 1, "to": 2}]
WIDER = [{"morph": "widen", "at": 1, "to": 8, "outgoing": "split"}]


def training(**changes: Any) -> Any:
    return job(SPACE, epochs=1, save_state=True, schedule="constant", precision="fp32", **changes)


def grown(morphs: list[Any]) -> Any:
    """The start network's child by these morphs."""
    for seed in range(200):
        for method in (SPACE.grow, SPACE.shrink):
            child = method(START, Random(seed))
            if child == Morphed(child and child.genome, tuple(morphs)):
                return child.genome
    raise AssertionError(f"no child by {morphs}")


def heir(id: int, parent: int, genome: Any, **options: Any) -> Any:
    return candidate(id, genome, continues=parent, parents=(parent,), options=options)


def evaluated(what: Any, root: Any, *candidates: Any, width: int = 1) -> list[Result]:
    places = tuple(range(width)) if width > 1 else (0,) * len(candidates)
    return list(bench(what).evaluate(Unit(candidates, width, places), Folders(root)))


def test_a_child_by_exact_morphs_begins_as_its_parent(tmp_path: Any) -> None:
    what = training()
    [parent] = evaluated(what, tmp_path, candidate(0, START))
    [child] = evaluated(what, tmp_path, heir(1, 0, grown(DEEPER), start="inherited", morphs=DEEPER))
    assert (parent.status, child.status) == ("ok", "ok")
    assert child.labels["inherited"] == "deepen, batch_norm"
    assert float(child.labels["residual"]) < 1e-5
    assert "residual_distilled" not in child.labels
    assert child.metrics["epochs"] == 1 and "inherited" not in parent.labels


def test_children_that_shrink_are_distilled_at_a_cost(tmp_path: Any) -> None:
    what, genome = training(), grown(PRUNED)
    evaluated(what, tmp_path, candidate(0, START))
    options = {"start": "inherited", "morphs": PRUNED}
    [plain] = evaluated(what, tmp_path, heir(1, 0, genome, **options))
    [distilled] = evaluated(what, tmp_path, heir(1, 0, genome, **options, distil=20))
    assert plain.labels["residual"] == distilled.labels["residual"]
    assert float(distilled.labels["residual_distilled"]) < float(distilled.labels["residual"])
    more = (distilled.metrics["cost"] - plain.metrics["cost"]) * 1e9 / distilled.metrics["multiply_adds"]
    assert more == pytest.approx(4 * BATCH * 20)


def test_in_a_stack_each_child_has_its_own_parent_and_no_neighbour_matters(tmp_path: Any) -> None:
    what, genome = training(stack=2), grown(WIDER)
    parents = evaluated(what, tmp_path, candidate(0, START), candidate(1, START), width=2)
    assert parents[0].labels["state"] != parents[1].labels["state"]
    origins = [Origin(1000 + id, 1, parent.labels["state"]) for id, parent in enumerate(parents)]
    asked = [heir(2 + id, id, genome, start="inherited", morphs=WIDER) for id in range(2)]
    heirs = tuple([Heir(c.id, c.step, c.seed, c.proposal, o) for c, o in zip(asked, origins, strict=True)])
    unit = Unit(heirs, 2, (0, 1))
    both = [repeatable(one) for one in bench(what).evaluate(unit, Folders(tmp_path))]
    [second] = bench(what).evaluate(unit.among({3}), Folders(tmp_path))
    assert repeatable(second) == both[1]
    assert both[0].labels["state"] != both[1].labels["state"]
    (tmp_path / "0" / KEPT).unlink()
    left = list(bench(what).evaluate(unit, Folders(tmp_path)))
    assert {one.id: one.error and one.error.kind for one in left} == {2: LOST, 3: None}
    assert repeatable(next(one for one in left if one.id == 3)) == both[1]


def test_a_resumed_child_ends_as_one_that_was_not_interrupted(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    what = job(SPACE, epochs=2, save_state=True, checkpoint_seconds=0.0, precision="fp32")
    evaluated(what, tmp_path, candidate(0, START))
    child = heir(1, 0, grown(WIDER), start="inherited", morphs=WIDER)
    [whole] = evaluated(what, tmp_path, child)

    def stop(checkpoint: Checkpoint, place: Any, progress: Progress) -> None:
        checkpoint.save_now(place, progress)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            evaluated(what, tmp_path, child)
    (tmp_path / "0" / KEPT).unlink()
    [resumed] = evaluated(what, tmp_path, child)
    assert repeatable(resumed) == repeatable(whole)


def test_what_matches_is_inherited_in_any_space(tmp_path: Any) -> None:
    what = training()
    evaluated(what, tmp_path, candidate(0, START))
    [child] = evaluated(what, tmp_path, heir(1, 0, grown(DEEPER), start="matching"))
    assert child.labels["inherited"] == "8 of 14 tensors, by matching"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "afresh"}, "start is weights, matching or inherited"),
        ({"start": "inherited"}, "morphs is no list"),
        ({"start": "inherited", "morphs": []}, "morphs is no list"),
        ({"start": "inherited", "morphs": [{"morph": "melt", "at": 1}]}, "there is no morph 'melt'"),
        ({"start": "inherited", "morphs": DEEPER, "distil": -1}, "distil is no whole number"),
        ({"start": "inherited", "morphs": DEEPER, "speed": 1}, "start is weights, matching or inherited"),
        ({"start": "matching", "morphs": DEEPER}, "start is weights, matching or inherited"),
    ],
)
def test_options_that_are_not_known_end_the_run(options: Any, words: str, tmp_path: Any) -> None:
    with pytest.raises(UsageError, match="candidate 1 options that training does not know") as error:
        evaluated(training(), tmp_path, heir(1, 0, START, **options))
    assert words in str(error.value)


def test_morphs_that_lead_elsewhere_end_the_run(tmp_path: Any) -> None:
    what = training()
    evaluated(what, tmp_path, candidate(0, START))
    with pytest.raises(UsageError, match="the morphs lead to another network than the genome's"):
        evaluated(what, tmp_path, heir(1, 0, grown(DEEPER), start="inherited", morphs=WIDER))
    with pytest.raises(UsageError, match="morphs that do not fit: kernel at node 2: batch_norm has no kernel"):
        evaluated(what, tmp_path, heir(1, 0, START, start="inherited", morphs=[{"morph": "kernel", "at": 2}]))
    with pytest.raises(UsageError, match="no other candidate is continued"):
        evaluated(what, tmp_path, candidate(1, START, options={"start": "matching"}))
