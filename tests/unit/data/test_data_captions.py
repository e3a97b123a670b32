"""Captions: what scenes say of themselves is true, and captions that cannot be learned are refused in one line."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.caption_scenes import COLOURS, CaptionScenes, Thing, described
from evonas_cli.data.captions import CaptionDataset, Captioned, check_references, encoded, vocabulary_of
from evonas_cli.data.scenes import SHAPES

SETTINGS: dict[str, Any] = {
    **{"size": 20, "noise": 16.0, "references": 5, "seed": 0},
    **{"n_train": 300, "n_valid": 20, "n_test": 20},
}
ABOVE, BELOW, LEFT, RIGHT = {"above", "over"}, {"below", "under"}, {"left"}, {"right"}


def part(*references: tuple[tuple[str, ...], ...]) -> Captioned:
    return Captioned(images=np.zeros((len(references), 3, 16, 16), dtype=np.uint8), references=references)


def test_scenes_are_images_with_different_captions() -> None:
    dataset = CaptionScenes(**SETTINGS)
    assert isinstance(dataset, CaptionDataset)
    corpus, test = dataset.captions(3), dataset.test_captions(3)
    for one, count in ((corpus.train, 300), (corpus.valid, 20), (test, 20)):
        assert one.images.shape == (count, 3, 20, 20) and one.images.dtype == np.uint8
        assert all(len(set(own)) == len(own) == 5 for own in one.references)
        check_references(one, "it")
    assert vocabulary_of(caption for own in corpus.train.references for caption in own) == (
        *("a", "above", "below", "big", "blue", "disc", "green", "is", "large", "left", "little", "of", "over", "red"),
        *("right", "small", "square", "the", "to", "triangle", "under", "yellow"),
    )


def test_scenes_depend_on_their_own_seed_alone() -> None:
    first, again = CaptionScenes(**SETTINGS).captions(0), CaptionScenes(**SETTINGS).captions(9)
    other = CaptionScenes(**{**SETTINGS, "seed": 1}).captions(0)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert not np.array_equal(first.train.images[:20], first.valid.images)


def test_pictures_show_what_their_captions_say() -> None:
    """Where a caption names the colours of both shapes, pixels of the first lie where it says."""
    corpus = CaptionScenes(**{**SETTINGS, "noise": 0.0}).captions(0)
    checked = 0
    for image, references in zip(corpus.train.images, corpus.train.references, strict=True):
        for caption in references:
            named = [word for word in caption if word in COLOURS]
            if len(named) == 2 and named[0] != named[1]:
                places = [_middle(image, colour) for colour in named]
                (y, x), (other_y, other_x) = places
                truth = ((ABOVE, y < other_y), (BELOW, y > other_y), (LEFT, x < other_x), (RIGHT, x > other_x))
                [said] = [true for words, true in truth if words & set(caption)]
                assert said, (caption, places)
                checked += 1
    assert checked > 300


def _middle(image: Any, colour: str) -> tuple[float, float]:
    """Row and column in the middle of the pixels that are bright in the channels of a colour, and in no other."""
    bright = image >= 176
    here = np.logical_and.reduce([bright[k] == bool(on) for k, on in enumerate(COLOURS[colour])])
    rows, columns = np.nonzero(here)
    return float(rows.mean()), float(columns.mean())


def test_captions_name_both_things_and_how_they_lie() -> None:
    red = Thing(0, True, "red", (0, 0, 9, 9))
    blue = Thing(1, False, "blue", (10, 10, 14, 14))
    found = described(Random(0), red, blue, 0, 200)
    assert len(found) > 100
    for caption in found:
        first, second = (caption.index(SHAPES[thing]) for thing in (0, 1))
        assert set(caption) & (ABOVE if first < second else BELOW)
        assert not set(caption) & {"small", "little"} or "disc" in caption
        assert "yellow" not in caption and caption.count("a") == 2
    one = described(Random(0), red, blue, 1, 1)
    assert len(one) == 1


def test_references_become_tokens() -> None:
    tokens, images = encoded(part((("a", "disc"),), (("disc",), ("a",))), ("a", "disc"), 3, "it")
    assert tokens.tolist() == [[1, 2, 3, 1], [1, 3, 1, 0], [1, 2, 1, 0]]
    assert images.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("references", "line"),
    [
        (((("a",),), (("a", "cube"),)), "it: a caption of image 1 has the word 'cube', which no training caption has"),
        (((("a", "a", "a"),),), "it: a caption of image 0 has 3 words, more than 2"),
    ],
)
def test_captions_without_tokens_are_refused(references: Any, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        encoded(part(*references), ("a", "disc"), 3, "it")


@pytest.mark.parametrize(
    ("references", "line"),
    [
        (((("a",),), ()), "it: image 1 has no caption; give it one"),
        (((("a",), ()),), "it: caption 1 of image 0 is empty; give it words"),
    ],
)
def test_empty_references_are_refused(references: Any, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        check_references(part(*references), "it")


def test_images_and_captions_must_be_as_many() -> None:
    with pytest.raises(UsageError, match="it has 1 images and captions of 2"):
        check_references(replace(part((("a",),)), references=((("a",),), (("a",),))), "it")


@pytest.mark.parametrize(
    ("key", "value"), [("size", 15), ("references", 0), ("n_valid", 1), ("noise", -1.0), ("seed", -1), ("n_train", 2.0)]
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"dataset\.{key} is {value}; it must be"):
        CaptionScenes(**{**SETTINGS, key: value})
