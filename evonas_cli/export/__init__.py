"""Trained networks outside of evonas: written in several forms, checked in a clean process, evaluated on other data."""
