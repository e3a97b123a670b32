"""The modules of operations: from the input shapes, the settings and a CPU generator for the initial weights.

Convolutions are normal with sd gain x sqrt(2 / fan-out) (He et al., ICCV 2015; fan-out of one group), linear, recurrent
and attention layers uniform in +-1/sqrt(fan-in), embeddings and learned positions normal with sd 1; biases begin at
0, and the scale and offset of a normalisation at 1 and 0.
"""
