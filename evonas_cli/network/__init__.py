"""Descriptions of networks, without torch."""
