"""Where a search may be followed beside its own files: one file a tracker."""
