"""How the tests of texts in tables read them, where a test says nothing else."""

READ = dict(kind="auto", tokens="words", lower=True, max_length="auto", missing=("",), limit=None)
