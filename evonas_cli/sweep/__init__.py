"""A sweep: many searches from one line, each an ordinary run in a process of its own."""
