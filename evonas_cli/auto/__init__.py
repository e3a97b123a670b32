"""From data to a tuned and exported network within a budget of time (`evonas auto`), after LEAF (Liang et al. 2019)."""
