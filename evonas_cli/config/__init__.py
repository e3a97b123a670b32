"""Composing a configuration, checking it, and building objects from it."""
