"""Learning over the walks of a space: tables of values, agents, topology and its imitation."""
