"""Search spaces: genome, operators and decoding, one file each; they import `core` only."""
