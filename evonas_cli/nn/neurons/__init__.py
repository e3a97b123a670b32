"""Populations of neurons (`network.neurons`) of unlike graphs as one program, forwards and backwards."""
