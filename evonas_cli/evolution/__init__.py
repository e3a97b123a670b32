"""Operators of evolution: selection, crossover, niching, speciation, breeding."""
