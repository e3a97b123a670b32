"""Batches and their augmentation."""
