"""Diffusion models: the process, the training of a denoiser, and how far samples are from data."""
