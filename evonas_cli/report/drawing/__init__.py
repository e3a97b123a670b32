"""Networks as pictures: plans, cells and sketches of genomes as layered drawings in SVG."""
