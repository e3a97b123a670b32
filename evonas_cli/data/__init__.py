"""Datasets as device-resident tensors with deterministic splits."""
