"""Trains the base: scenes, networks, the optimizer and the loop that can be cut at any moment."""
