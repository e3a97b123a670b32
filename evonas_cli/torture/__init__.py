"""Torture: searches of this machine and configuration are killed, damaged and hindered, and must come out the same."""
