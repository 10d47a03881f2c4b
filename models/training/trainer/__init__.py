"""Trains the base of the full world: scenes, networks, the optimizer and the loop that can be cut at any moment."""
