"""Pictures of runs as SVG files without references: scales, axes, and one module per kind of picture."""
