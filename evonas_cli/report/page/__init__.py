"""A report of runs: one self-contained page, and the numbers behind its figures."""
