"""Jobs: what "evaluate a candidate" means."""
