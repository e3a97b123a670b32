"""What can be derived from a finished or running run."""
