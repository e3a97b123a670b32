"""The contracts of spaces, strategies, jobs and evaluators as checks for parts of this package and of users.

Each check is a function that raises AssertionError, and needs no pytest. `evonas_cli.testing.plugin` runs them over the
parts of a folder.
"""
