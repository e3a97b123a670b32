"""Operators that are timed beside each other compute the same."""

from __future__ import annotations

import pytest
import torch
from benchmarks import forms

CASES = [*forms.pools(), *forms.convolutions(), *forms.narrow_groups(), *forms.images(), *forms.dense()]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_ways_compute_the_same(case):
    found, expected = case.engine(), case.torch()
    found, expected = found.flatten().float(), expected.flatten().float()
    near = 2e-2 if "bfloat16" in case.name else 1e-5
    assert (found - expected).norm() <= near * expected.norm()


def test_operators_that_are_dense_have_rows(monkeypatch):
    monkeypatch.setattr(forms, "convolutions", lambda: ())
    monkeypatch.setattr(forms, "pools", lambda: ())
    monkeypatch.setattr(forms, "narrow_groups", lambda: ())
    monkeypatch.setattr(forms, "images", lambda: ())
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(forms, "keep_memory", lambda: None)
    rows = list(forms.compare(1))
    assert [row["name"] for row in rows] == ["linear 9216 to 128", "cross-entropy of 10 classes"]
