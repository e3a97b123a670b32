"""Supernets: all networks of a cell space as one torch module."""
