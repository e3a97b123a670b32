"""The contracts of spaces, strategies, jobs and evaluators as checks that anybody's part can be put to.

Each check is a function that raises AssertionError, and needs no pytest. `evonas_cli.testing.plugin` runs them over the
parts of a folder.
"""
