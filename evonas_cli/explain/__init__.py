"""A trained candidate explained: what it gets wrong, how sure it may be, what it looks at, and which parts it needs."""
