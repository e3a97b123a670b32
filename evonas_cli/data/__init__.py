"""Datasets as device-resident tensors with deterministic splits: one file a source, `dataset` for what they share."""
