"""Images with boxes: the scenes that are drawn, and COCO's files, good and bad."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays, checked
from evonas_cli.data.boxes import is_box, padded
from evonas_cli.data.coco import Coco
from evonas_cli.data.scenes import SHAPES, Scenes


def scenes(**changes) -> Scenes:
    settings = {"size": 32, "most": 3, "noise": 24.0, "seed": 0, "n_train": 30, "n_valid": 10, "n_test": 10}
    return Scenes(**{**settings, **changes})


def test_scenes_are_a_function_of_their_seed_alone():
    first, again, other = scenes().prepare(0), scenes().prepare(1), scenes(seed=1).prepare(0)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert (first.task.kind, first.task.inputs, first.task.outputs) == ("boxes", (3, 32, 32), (3 + 4) * (64 + 16 + 4))
    assert first.names == SHAPES and first.x_train.dtype == np.uint8


def test_boxes_hold_their_shapes_tightly():
    splits = scenes(noise=0.0, most=1).prepare(0)
    for image, boxes in zip(splits.x_train.astype(int), splits.y_train, strict=True):
        ground = image[:, 0, 0] if not (boxes[0, 1] == 0 and boxes[0, 2] == 0) else image[:, -1, -1]
        rows, columns = np.nonzero((image != ground[:, None, None]).any(0))
        kind, left, top, right, bottom = boxes[0]
        found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(found - [left, top, right, bottom]).max() <= (1 if SHAPES[int(kind)] != "square" else 0)


@pytest.mark.parametrize("wrong", [{"size": 40}, {"most": 0}, {"noise": -1}, {"seed": 0.5}, {"n_train": 1}])
def test_settings_of_scenes_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"dataset.{next(iter(wrong))} is"):
        scenes(**wrong)


def document(**changes) -> dict:
    images = [{"id": n, "file_name": f"{n}.png", "width": 40, "height": 20} for n in range(10)]
    boxes = [{"id": n, "image_id": n, "category_id": 7 - n % 2, "bbox": [4, 2, 20, 10]} for n in range(9)]
    names = [{"id": 7, "name": "cat"}, {"id": 6, "name": "dog"}]
    return {"images": images, "annotations": boxes, "categories": names, **changes}


def coco(folder: Path, data: object) -> Coco:
    for n in range(10):
        pixels = np.random.default_rng(n).integers(0, 256, (20, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
    (folder / "boxes.json").write_text(json.dumps(data))
    settings = {"valid_fraction": 0.2, "test_fraction": 0.2, "limit": None}
    return Coco(path=str(folder / "boxes.json"), size=32, **settings)


def test_a_file_of_coco_is_read_and_what_it_lacks_is_said(tmp_path, caplog):
    data = document()
    data["annotations"] += [{"id": 20, "image_id": 1, "category_id": 6, "iscrowd": 1, "bbox": []}]
    source = coco(tmp_path, data)
    source.check_there()
    with caplog.at_level(logging.INFO):
        splits = source.prepare(0)
    assert splits.names == ("dog", "cat") and splits.x_train.shape == (6, 3, 32, 32)
    assert source.looked_up_sizes(0) == {"test": 2, "valid": 2, "train": 6} and source.looked_up_outputs() == 2
    shown = splits.y_train[is_box(splits.y_train)]
    np.testing.assert_allclose(shown[:, 1:], np.tile([3.2, 3.2, 19.2, 19.2], (len(shown), 1)), rtol=1e-6)
    [line] = [line for line in caplog.messages if "boxes" in line]
    assert "9 boxes; 1 images have none; left out 1 annotations of crowds; resized to 32x32 pixels" in line
    x, y = source.test(0)
    assert len(x) == len(y) == 2


BAD = {
    "without area": {"annotations": [{"id": 5, "image_id": 1, "category_id": 6, "bbox": [1, 2, 0, 4]}]},
    "outside of the image of 40x20": {
        "annotations": [{"id": 5, "image_id": 1, "category_id": 6, "bbox": [30, 2, 12, 4]}]
    },
    "box that lies outside of the image": {
        "annotations": [{"id": 5, "image_id": 1, "category_id": 6, "bbox": [40, 2, 0.5, 4]}]
    },
    "not [left, top, width, height]": {"annotations": [{"id": 5, "image_id": 1, "category_id": 6, "bbox": [1, 2, 3]}]},
    "category_id 9": {"annotations": [{"id": 5, "image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}]},
    "image_id 99": {"annotations": [{"id": 5, "image_id": 99, "category_id": 6, "bbox": [1, 2, 3, 4]}]},
    "two categories of one id or name": {"categories": [{"id": 6, "name": "dog"}, {"id": 7, "name": "dog"}]},
    "image 3 is there twice": {"images": document()["images"] + [document()["images"][3]]},
    "has 40x20 pixels, but": {"images": [{**one, "width": 41} for one in document()["images"]]},
    "not found": {"images": [{**one, "file_name": "no.png"} for one in document()["images"]]},
    "has no images": {"images": []},
    "has no list 'annotations' of objects": {"annotations": 3},
    "no training image has a box": {"annotations": []},
}


@pytest.mark.parametrize("reason", BAD)
def test_what_does_not_fit_in_a_file_of_coco_is_refused_in_one_line(tmp_path, reason):
    with pytest.raises(UsageError) as raised:
        coco(tmp_path, document(**BAD[reason])).prepare(0)
    assert reason in str(raised.value) and "\n" not in str(raised.value)


def test_arrays_of_boxes_are_checked():
    x = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
    good = padded([[(0, 1, 1, 5, 5)], [], [(1, 2, 2, 9, 9), (0, 0, 0, 3, 3)], []])
    assert checked(Arrays(x_train=x, y_train=good, kind="boxes", names=("a", "b")), "it").y_train.shape == (4, 2, 5)
    for wrong, reason in (
        (np.zeros((4, 5)), "boxes are numbers"),
        (padded([[(2, 1, 1, 5, 5)], [], [], []]), "has the class 2; there are 2 classes"),
        (padded([[(1, 5, 1, 5, 5)], [], [], []]), "has no area"),
    ):
        with pytest.raises(UsageError, match=reason):
            checked(Arrays(x_train=x, y_train=wrong, kind="boxes", names=("a", "b")), "it")
