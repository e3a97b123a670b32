"""Models of the losses that were seen, and what of a candidate they promise: surrogates, distances, acquisition."""
