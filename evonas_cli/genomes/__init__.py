"""Kinds of genomes and what a space may offer."""
