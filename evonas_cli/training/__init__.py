"""The training loop and what it needs: schedules, optimisers, augmentation, devices."""
