"""evonas: evolutionary neural architecture search from the command line."""

__version__ = "0.1.0"

RESULTS = 29
"""How many entries the changelog has under "Results change". A run records the number. A resume under another number
warns that the code may give other results; a test compares the number with the changelog."""
