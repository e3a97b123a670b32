"""What the C library is asked for."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from evonas_cli.training.device.allocator import keep_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_used_again_without_new_pages():
    assert keep_memory()

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(3):
            torch.zeros(16_000_000)  # more than glibc ever keeps by itself
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    for _ in range(8):  # until the pieces on the heap have the sizes that are asked for
        faults()
    assert faults() < 100
