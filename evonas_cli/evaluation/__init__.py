"""Evaluators: where jobs run."""
