"""Operators whose form in torch is slow or wrong on some device."""
