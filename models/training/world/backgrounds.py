"""A fixed stock of drawn places, since drawing one afresh costs more than the rest of a picture."""
import numpy as np

from world import places


class Backgrounds:
    """`variants` pictures of each place, always the same ones."""

    def __init__(self, variants=60):
        rng = np.random.default_rng(7)
        self.stock = {name: [draw(rng) for _ in range(variants)] for name, draw in places.PLACES.items()}

    def pick(self, rng, place, colour):
        """(picture, ground line) of a place (random variant, maybe mirrored) or of a plain colour."""
        if place is None:
            return places.plain(rng, colour)
        picture, ground = self.stock[place][rng.integers(len(self.stock[place]))]
        return (picture[:, ::-1] if rng.random() < 0.5 else picture).copy(), ground
