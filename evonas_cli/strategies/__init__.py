"""Search strategies, one file each; they import `core` only."""
