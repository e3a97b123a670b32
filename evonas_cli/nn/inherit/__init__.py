"""A child's weights from those of its parent: by the morphs between their plans, or by what matches."""
