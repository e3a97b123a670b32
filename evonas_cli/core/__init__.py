"""The core: value types, protocols and pure algorithms; no torch, no files, no configuration."""
