"""Several tasks as one data set: what an example and a target are, which images are whose, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import file_of, read
from evonas_cli.core.errors import UsageError
from evonas_cli.network.task import Task
from evonas_cli.run.assembly import assemble

PARITY, LOOP = {"name": "digit_task", "labels": "parity"}, {"name": "digit_task", "labels": "loop"}


def tasks(**changes: Any) -> Any:
    return build({**read(file_of("dataset", "tasks", ())), "members": [PARITY, LOOP, "digits"], **changes}, "dataset")


def test_examples_have_the_number_of_their_task_and_classes_follow_each_other() -> None:
    data = tasks()
    splits, (x, y) = data.prepare(3), data.test(3)
    assert splits.task == data.task() == Task((2, 8, 8), 14, members=(2, 2, 10))
    assert Task.from_json(splits.task.to_json()) == splits.task
    assert splits.names[:3] == ("parity: even", "parity: odd", "loop: no loop") and len(splits.names) == 14
    assert np.bincount(splits.x_train[:, 1, 0, 0]).tolist() == [50, 50, 50]
    for inputs, targets in ((splits.x_train, splits.y_train), (splits.x_valid, splits.y_valid), (x, y)):
        number = inputs[:, 1].reshape(len(inputs), -1)
        assert (number == number[:, :1]).all()
        assert (np.searchsorted([2, 4, 14], targets, side="right") == number[:, 0]).all()
    assert (splits.mean[1], splits.std[1]) == (0, 1)
    assert data.looked_up_sizes(3) == {"train": 150, "valid": len(splits.y_valid), "test": len(y)}
    assert data.looked_up_outputs() == 14 and data.tasks == 3


def test_one_task_alone_has_the_examples_that_it_has_among_the_others() -> None:
    together, alone = tasks().prepare(1), tasks(only=2).prepare(1)
    assert alone.task == Task((1, 8, 8), 2) and tasks(only=2).tasks == 0
    assert (alone.x_train[:, 0] == together.x_train[50:100, 0]).all()
    assert (alone.y_train + 2 == together.y_train[50:100]).all()


def test_no_task_trains_on_what_another_is_tested_on_but_each_has_images_of_its_own() -> None:
    data = tasks()
    splits, (x, _) = data.prepare(0), data.test(0)
    train = {one.tobytes() for one in splits.x_train[:, 0]}
    other = {one.tobytes() for one in np.concatenate([x, splits.x_valid])[:, 0]}
    assert not train & other and len(train) > 120
    assert len({one.tobytes() for one in x[:, 0]}) == len(x) // 3


def test_the_digest_tells_of_the_seed_and_the_samples() -> None:
    digests = {tasks(samples=samples).fingerprint(seed) for samples in (20, 50) for seed in (0, 1)}
    assert len(digests) == 4 and tasks().fingerprint(0) in digests


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"members": []}, "dataset.members has 0 of them; a data set of tasks has two members or more"),
        ({"members": ["digits"]}, "dataset.members has 1 of them"),
        ({"members": "digits"}, "dataset.members is 'digits'; it must be a list of data sets"),
        ({"members": ["digits", "digit"]}, r"dataset.members\[1\]: there is no dataset 'digit'; did you mean digits"),
        ({"members": ["digits", {**PARITY, "labls": 1}]}, r"dataset.members\[1\] has no key labls"),
        ({"members": ["digits", {**PARITY, "labels": "odd"}]}, r"dataset.members\[1\]: dataset.labels is 'odd'"),
        ({"members": ["digits", {**PARITY, "rotation": 45}]}, "dataset.rotation is 45"),
        ({"members": ["digits", "pattern"]}, r"members\[1\], Pattern, has targets of the kind numbers"),
        (
            {"members": ["digits", {"name": "csv", "path": "t.csv", "target": "y"}]},
            "has targets of the kind auto; all members must have classes; give it kind: classes",
        ),
        ({"members": ["digits", "copy"]}, r"members\[1\], Copy\w*, has targets of the kind tokens"),
        ({"samples": 0}, "dataset.samples is 0; it must be an integer of at least 1, or null"),
        ({"only": 4}, "dataset.only is 4; it must be an integer from 1 to 3, the number of a member, or null"),
    ],
)
def test_what_is_no_set_of_tasks_is_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line) as refused:
        tasks(**changes)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("member", "line"),
    [
        ("gaussians", r"members\[1\], .*, has vectors 2, and dataset.members\[0\], parity, has images 1x8x8"),
        ({"name": "digits", "flip": True}, r"members\[1\], Digits, augments its images"),
        ({"name": "digits", "limit": 60, "valid_fraction": 0.5}, "dataset.samples=20"),
    ],
)
def test_members_that_one_network_cannot_read_are_refused(member: Any, line: str) -> None:
    samples = 5 if isinstance(member, dict) and "limit" in member else 20
    with pytest.raises(UsageError, match=line.replace("20", str(samples))):
        tasks(members=[PARITY, member], samples=samples).prepare(0)


def test_what_is_recorded_says_all_settings_of_the_members(tmp_path: Path) -> None:
    words = ["dataset=tasks", "dataset.members=[{name:digit_task,labels:loop},digits]", "space=soft_ordering"]
    config = assemble(compose(words).config).config
    assert [node["_target_"].rpartition(".")[2] for node in config["dataset"]["members"]] == ["DigitTask", "Digits"]
    assert config["dataset"]["members"][0]["labels"] == "loop" and config["dataset"]["members"][1]["crop"] == 0
    assert assemble(config).config == config


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["dataset=digits"], "the space Cmtr has a route for each of several tasks; pass dataset=tasks"),
        (["dataset=tasks", "space.tasks=3"], "has routes for 3 tasks, the data 4; set space.tasks=4"),
    ],
)
def test_routes_need_as_many_tasks_as_there_are(words: list[str], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        assemble(compose([*words, "space=cmtr", "strategy=cmtr"]).config)
