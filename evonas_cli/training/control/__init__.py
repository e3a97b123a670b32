"""Policies in environments: what an environment is like, and episodes of many policies in step."""
