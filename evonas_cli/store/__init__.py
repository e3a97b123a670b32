"""The run directory: journal, snapshots, derived files, lock and provenance."""
