"""What trainings do eagerly on a CUDA device, one thread does for all; on CPUs everybody does it for himself."""

from __future__ import annotations

import threading

import pytest
import torch

from evonas_cli.training.one_thread import in_one_thread


def test_on_a_cpu_the_caller_does_it():
    assert in_one_thread(torch.device("cpu"), threading.get_ident) == threading.get_ident()


def test_what_the_call_raises_is_raised():
    def fails():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_one_thread(torch.device("cpu"), fails)
