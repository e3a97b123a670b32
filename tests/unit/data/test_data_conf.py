"""The configuration of every data set binds to its constructor."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from evonas_cli.config.build import build
from evonas_cli.data.captions import CaptionDataset
from evonas_cli.data.dataset import Source
from evonas_cli.data.sequences import SequenceDataset

FILES = sorted((Path(__file__).parents[3] / "conf/dataset").glob("*.yaml"))


def test_all_files_were_found():
    names = {"cifar10", "cifar100", "copy", "digits", "fashion_mnist", "folder", "mnist", "npz", "svhn", "text"}
    assert names <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_parameter_has_a_value(path):
    settings = OmegaConf.to_container(OmegaConf.load(path))
    settings.pop("defaults", None)
    dataset = build(settings, "dataset")
    settings.pop("_target_")
    assert [isinstance(dataset, kind) for kind in (Source, SequenceDataset, CaptionDataset)].count(True) == 1
    assert set(settings) == {field.name for field in fields(dataset) if field.init}
