"""What `evonas bench` does."""
