"""Scores of networks that are not trained; one file a score."""
