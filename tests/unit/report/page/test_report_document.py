"""The numbers of a report, on journals made by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.report.page.document import document
from evonas_cli.report.page.rows import rows_of
from evonas_cli.report.page.variation import wilson
from evonas_cli.report.reading import Reading

Made = Callable[..., Reading]
CELL = "|{0}~0|+|{1}~0|{2}~1|+|{3}~0|{4}~1|{5}~2|"


def cell(*operations: str) -> str:
    return CELL.format(*operations)


def one(reading: Reading) -> dict[str, Any]:
    run: dict[str, Any] = document([reading])["runs"][0]
    return run


def test_best_so_far_follows_ids_over_trainings_and_arrival_over_time(made: Made) -> None:
    errors: Sequence[dict[str, Any]] = [
        {"valid_error": 0.5, "elapsed": 3.0},
        {"valid_error": 0.4, "elapsed": 1.0},
        {"error": "diverged: x", "elapsed": 2.0},
        {"valid_error": 0.45, "elapsed": 0.5},
        {"valid_error": 0.1, "elapsed": 4.0, "cached": 1},
    ]
    found = one(made(errors))["best_so_far"]
    assert found["metric"] == "valid_error"
    assert found["trainings"] == {"at": [1, 2, 4], "id": [0, 1, 4], "value": [0.5, 0.4, 0.1], "end": [4]}
    assert found["seconds"] == {"at": [0.5, 1.0, 4.0], "id": [3, 1, 4], "value": [0.45, 0.4, 0.1], "end": [4.0]}


def test_a_candidate_of_a_lower_fidelity_or_another_job_counts_for_nothing(made: Made) -> None:
    run = one(made([{"valid_error": 0.1, "fidelity": 0.5}, {"valid_error": 0.3}, {"valid_error": 0.0, "job": "side"}]))
    assert run["candidates"]["counts"] == [False, True, False]
    assert run["front"] == [1] and run["best"] == run["knee"] == 1
    assert run["candidates"]["trainings"] == [1, 2, 2]


def test_hypervolume_is_the_share_of_the_box_up_to_the_reference_point(made: Made) -> None:
    sizes = [(100.0, 1.0), (0.0, 3.0), (50.0, 2.0), (60.0, 3.0)]
    entries = [{"genome": cell(*["none"] * 6), "metrics": {"parameters": p, "depth": d}} for p, d in sizes]
    volumes = one(made(entries, "cells"))["hypervolume"]
    assert volumes["logged"] is None
    # Scaled: (1, 0), then (0, 1), then (0.5, 0.5); the fourth is dominated. The box has sides of 1.1.
    areas = [0.1 * 1.1, 2 * 0.1 * 1.1 - 0.1 * 0.1, 2 * 0.1 * 1.1 - 0.1 * 0.1 + 0.5 * 0.5]
    assert volumes["scaled"]["trainings"]["at"] == [1, 2, 3] and volumes["scaled"]["trainings"]["end"] == [4]
    assert volumes["scaled"]["trainings"]["value"] == pytest.approx([area / 1.21 for area in areas])


def test_a_hypervolume_that_the_strategy_logged_is_taken_over(made: Made) -> None:
    reading = made([{"valid_error": 0.5, "elapsed": 2.0}, {"valid_error": 0.4, "elapsed": 1.0}])
    reading.run.figures.write_text(
        '{"step": 0, "evaluations": 1, "hypervolume": 7.0}\n{"step": 1, "evaluations": 2, "hypervolume": 9.0}\n'
    )
    logged = one(reading)["hypervolume"]["logged"]
    assert logged["trainings"] == {"at": [1, 2], "value": [7.0, 9.0], "end": [2]}
    assert logged["seconds"]["at"] == [2.0, 2.0]


def test_runs_with_equal_objectives_share_the_bounds_of_their_hypervolumes(made: Made) -> None:
    def entries(*sizes: tuple[float, float]) -> list[dict[str, Any]]:
        return [{"genome": cell(*["none"] * 6), "metrics": {"parameters": p, "depth": d}} for p, d in sizes]

    small, large = made(entries((1, 1), (2, 0)), "cells", "a"), made(entries((9, 1), (10, 0)), "cells", "b")
    alone = [one(reading)["hypervolume"]["scaled"]["trainings"]["value"][-1] for reading in (small, large)]
    assert alone[0] == pytest.approx(alone[1])
    together = [run["hypervolume"]["scaled"]["trainings"]["value"][-1] for run in document([small, large])["runs"]]
    assert together[0] > together[1]


def test_operators_count_children_better_than_their_best_parent(made: Made) -> None:
    entries: list[dict[str, Any]] = [
        {"valid_error": 0.5},
        {"valid_error": 0.3},
        {"valid_error": 0.4, "operator": "mutation", "parents": [0]},
        {"valid_error": 0.4, "operator": "crossover", "parents": [0, 1]},
        {"valid_error": 0.2, "operator": "crossover", "parents": [0, 1]},
        {"error": "oom: no memory", "operator": "mutation", "parents": [1]},
        {"valid_error": 0.5, "operator": "mutation", "parents": [0]},
        {"valid_error": 0.1, "operator": "mutation", "parents": [5]},
    ]
    found = {entry["operator"]: entry for entry in one(made(entries))["operators"]}
    assert list(found) == ["mutation", "crossover", "sample"]
    counts = {
        name: tuple(entry[key] for key in ("children", "failed", "compared", "better")) for name, entry in found.items()
    }
    assert counts == {"mutation": (4, 1, 3, 1), "crossover": (2, 0, 2, 1), "sample": (2, 0, 0, 0)}
    assert found["mutation"]["share"] == pytest.approx(1 / 3) and found["sample"]["share"] is None
    assert found["mutation"]["on_front"] == 1


def test_with_several_objectives_better_is_to_dominate_a_parent_and_to_equal_none(made: Made) -> None:
    def entry(p: float, d: float, parents: Sequence[int] = (), operator: str = "sample") -> dict[str, Any]:
        metrics = {"parameters": p, "depth": d}
        return {"genome": cell(*["none"] * 6), "metrics": metrics, "parents": list(parents), "operator": operator}

    entries = [entry(5, 5), entry(4, 4, [0], "down"), entry(1, 9, [0], "aside"), entry(5, 5, [0], "same")]
    found = {each["operator"]: each["better"] for each in one(made(entries, "cells"))["operators"]}
    assert found == {"sample": 0, "down": 1, "aside": 0, "same": 0}


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_holds_it(counts: tuple[int, int]) -> None:
    better, compared = counts
    interval = wilson(better, compared)
    assert interval is not None and 0 <= interval[0] <= better / compared <= interval[1] <= 1


def test_the_interval_of_half_of_ten_is_that_of_the_literature() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) is None


def test_failures_are_counted_by_kind_and_reasons_that_differ_in_numbers_are_one(made: Made) -> None:
    texts = ["diverged: loss is 3.5e9", "diverged: loss is 7", "oom: no memory", "diverged: loss is nan", "own: why"]
    found = one(made([{"error": text} for text in texts]))["failures"]
    assert [(each["kind"], each["count"], each["owner"]) for each in found] == [
        ("diverged", 3, "candidate"),
        ("oom", 1, "machine"),
        ("own", 1, "unknown"),
    ]
    assert found[0]["reasons"] == [
        {"text": "loss is 3.5e9 (and other numbers)", "count": 2},
        {"text": "loss is nan", "count": 1},
    ]


def test_what_a_constraint_refused_is_counted_before_and_after_training(made: Made) -> None:
    refused = {"error": "refused: x", "metrics": {"valid_error": 0.95}}
    entries: list[dict[str, Any]] = [refused, {"valid_error": 0.85}, {"valid_error": 0.4}, {"error": "oom: x"}]
    run = one(made(entries, "bounded"))
    assert run["refused"] == [{"constraint": "valid_error <= 0.8", "before_training": 1, "after_evaluation": 1}]
    assert run["front"] == [2] and run["candidates"]["counts"] == [False, False, True, False]


def test_the_lineage_walks_to_the_best_parent_and_names_both(made: Made) -> None:
    conv, skip = "nor_conv_3x3", "skip_connect"
    genomes = [[conv] * 6, [skip] * 6, [conv, conv, skip, skip, skip, skip], [conv, conv, skip, skip, skip, "none"]]
    more = [([], 9.0), ([], 5.0), ([0, 1], 4.0), ([2], 3.0)]
    entries = [
        {"genome": cell(*genome), "parents": parents, "metrics": {"parameters": size, "depth": 1.0}, "operator": str(n)}
        for n, (genome, (parents, size)) in enumerate(zip(genomes, more, strict=True))
    ]
    line = one(made(entries, "cells"))["lineage"]
    assert [row["id"] for row in line] == [1, 2, 3]
    assert [row["parents"] for row in line] == [[], [0, 1], [2]] and [row["line"] for row in line] == [None, 1, 2]
    assert line[0]["changes"] == []
    assert line[1]["changes"] == [f"edge 0>{k}: {skip} \u2192 {conv}" for k in (1, 2)]
    assert line[2]["changes"] == [f"edge 2>3: {skip} \u2192 none"]


def test_learning_curves_are_read(made: Made) -> None:
    whole = {"epoch": [1, 2], "train_loss": [0.5, None], "valid_error": [0.4, 0.3]}
    entries = [
        {"valid_error": 0.3, "curves": whole},
        {"valid_error": 0.4},
    ]
    assert one(made(entries))["curves"] == {"0": whole}


def test_figures_are_series_over_evaluations(made: Made) -> None:
    reading = made([{"valid_error": 0.5}])
    reading.run.figures.write_text(
        '{"step": 0, "evaluations": 4, "diversity": 0.5, "modules": {"species": {"0": 2, "1": 3}, "threshold": 1.5}}\n'
        '{"step": 1, "evaluations": 8, "diversity": null, "modules": {"species": {"0": 5}, "threshold": 2.0}}\n'
    )
    assert one(reading)["figures"] == {
        "diversity": {"evaluations": [4], "value": [0.5]},
        "modules.species": {"evaluations": [4, 8], "value": [2, 1]},
        "modules.threshold": {"evaluations": [4, 8], "value": [1.5, 2.0]},
    }


def test_networks_are_drawn_of_the_best_the_knee_and_the_front(made: Made) -> None:
    operations = ["nor_conv_3x3"] * 6
    sizes = [(float(k), float((20 - k) ** 2)) for k in range(20)]
    entries = [{"genome": cell(*operations), "metrics": {"parameters": p, "depth": d}} for p, d in sizes]
    run = one(made(entries, "cells"))
    assert len(run["front"]) == 20 and len(run["networks"]) == 8
    assert [network["roles"] for network in run["networks"][:3]] == [["best", "front"], ["knee", "front"], ["front"]]
    assert run["networks"][0]["id"] == run["best"] and run["networks"][1]["id"] == run["knee"]
    first = run["networks"][0]
    assert first["plan"]["input"] == [1, 8, 8] and first["parameters"] > 0 and first["problem"] is None
    assert [sketch["title"] for sketch in first["sketches"]] == ["cell"]


def test_a_genome_without_a_network_says_why(made: Made) -> None:
    run = one(made([{"genome": "no cell", "metrics": {"parameters": 1.0, "depth": 1.0}}], "cells"))
    [network] = run["networks"]
    assert network["plan"] is None and network["problem"].startswith("ValueError: a cell reads")


def test_the_front_is_that_of_the_run(made: Made) -> None:
    reading = made([{"valid_error": error} for error in (0.5, 0.2, 0.2, 0.3)])
    assert list(rows_of(reading).front) == [member["id"] for member in reading.front()["front"]] == [1]


def test_a_run_without_success_or_candidate_has_a_document(made: Made) -> None:
    for entries in ([], [{"error": "oom: x"}]):
        run = one(made(entries, name=f"run{len(entries)}"))
        assert run["best"] is run["knee"] is None and run["front"] == run["lineage"] == run["networks"] == []


def test_equal_names_are_told_apart_and_no_run_is_refused(made: Made, bases: Any) -> None:
    reading = made([{"valid_error": 0.5}])
    assert [run["name"] for run in document([reading, reading])["runs"]] == ["run (1)", "run (2)"]
    with pytest.raises(UsageError, match="a report needs a run"):
        document([])
