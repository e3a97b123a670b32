"""Pictures as SVG files without references: runs with scales and axes, networks as layered drawings."""
