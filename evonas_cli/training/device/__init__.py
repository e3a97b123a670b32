"""Devices: set-up, memory, streams, recordings, errors."""
