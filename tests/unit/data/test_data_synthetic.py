"""Synthetic X-ray pictures and sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.negation import LONGEST, MARKS, NEGATIONS, SHORTEST, Negation, is_toxic
from evonas_cli.data.shared import shared
from evonas_cli.data.xray import Xray
from evonas_cli.evaluation.scratch import Scratch

PICTURES = Xray(
    images=120,
    patients=40,
    findings=4,
    noise=1.0,
    seed=0,
    valid_fraction=0.25,
    test_fraction=0.2,
    limit=None,
    crop=0,
    flip=False,
    cutout=0,
)
SENTENCES = Negation(toxic=0.3, seed=0, n_train=300, n_valid=60, n_test=60)


def test_pictures_have_several_labels_and_no_part_divides_a_patient() -> None:
    arrays, found = PICTURES.read(), PICTURES.prepare(3)
    assert arrays.x_train.shape == (120, 1, 16, 16) and arrays.x_train.dtype == np.uint8
    assert found.task.kind == PICTURES.task_kind == "labels" and found.task.outputs == PICTURES.looked_up_outputs() == 4
    assert arrays.y_train.sum(axis=1).max() > 1
    for patient in range(40):
        own = arrays.y_train[arrays.groups == patient]
        assert len(own) and (own == own[0]).all()
    n = len(found.y_train)
    assert not set(found.groups[:n]) & set(found.groups[n:])
    sizes = PICTURES.looked_up_sizes(3)
    assert sizes["train"] == n and sum(sizes.values()) == 120 and len(PICTURES.test(3)[1]) == sizes["test"]


def test_pictures_of_a_patient_are_alike_and_a_seed_draws_others() -> None:
    clean = replace(PICTURES, noise=0.0).read()
    x = clean.x_train.reshape(120, -1).astype(float)
    apart = np.linalg.norm(x[:, None] - x, axis=-1)
    same = clean.groups[:, None] == clean.groups
    assert np.median(apart[same & ~np.eye(120, dtype=bool)]) < np.median(apart[~same]) / 2
    assert not np.array_equal(replace(PICTURES, noise=0.0, seed=1).read().x_train, clean.x_train)
    assert np.array_equal(replace(PICTURES, noise=0.0).read().x_train, clean.x_train)


def test_the_words_of_a_sentence_do_not_tell_its_class() -> None:
    found = SENTENCES.prepare(0)
    assert found.task == SENTENCES.task() and found.x_train.shape == (300, LONGEST) and found.task.vocabulary == 202
    for ids, label in zip(found.x_train, found.y_train, strict=True):
        words = ids[ids > 0].tolist()
        assert SHORTEST <= len(words) <= LONGEST and is_toxic(words) == bool(label)
        assert sum(word in MARKS for word in words) == sum(word in NEGATIONS for word in words) in (1, 2)
    assert 0.2 < found.y_train.mean() < 0.4
    x, y = SENTENCES.test(7)
    assert x.shape == (60, LONGEST) and len(y) == 60 and SENTENCES.fingerprint(1) == found.fingerprint
    assert replace(SENTENCES, seed=1).fingerprint(1) != found.fingerprint


@pytest.mark.parametrize(
    ("source", "changes", "text"),
    [
        (PICTURES, {"patients": 200}, "dataset.images is 120; it must be an integer of at least dataset.patients=200"),
        (PICTURES, {"findings": 7}, "dataset.findings is 7; it must be an integer from 2 to 6"),
        (PICTURES, {"noise": -1}, "dataset.noise is -1"),
        (SENTENCES, {"toxic": 1.0}, "dataset.toxic is 1.0; it must lie between 0 and 1"),
        (SENTENCES, {"n_valid": 2}, "dataset.n_valid is 2; it must be an integer of at least 20"),
    ],
)
def test_values_out_of_range_are_refused(source, changes, text) -> None:
    with pytest.raises(UsageError, match=text):
        replace(source, **changes)


def test_workers_that_share_the_data_have_its_groups() -> None:
    prepared, scratch = PICTURES.prepare(3), Scratch()
    try:
        shared(scratch.file, lambda: prepared)
        mapped = shared(scratch.file, lambda: pytest.fail("prepared again"))
        assert np.array_equal(mapped.groups, prepared.groups) and len(mapped.groups)
    finally:
        scratch.close()
