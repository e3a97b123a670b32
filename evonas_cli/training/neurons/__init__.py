"""Training populations of neurons: settings, losses, optimisers, gradient descent with a way back."""
