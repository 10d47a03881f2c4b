"""Draws random scenes of a packed set: what training, judging and measuring look at."""
from functools import cache

import numpy as np

from world import captions, scene
from world.backgrounds import Backgrounds
from world.scene import pick
from world.stickers import Stickers


class Painter:
    """`folder` is that of pack-stickers.mjs, `which` a list of Stickers. Subjects are equally likely, or each sticker `alone`."""

    def __init__(self, folder, which='trained', alone=False):
        self.stickers, self.backgrounds = Stickers(folder), Backgrounds()
        groups = {}
        for index in getattr(self.stickers, which):
            groups.setdefault(index if alone else self.stickers.rows[index]['hex'], []).append(index)
        self.groups = list(groups.values())

    def scene(self, rng):
        """(picture uint8 [128,128,3], its description, the sticker's row) of one random scene."""
        index = pick(rng, self.groups[rng.integers(len(self.groups))])
        row = self.stickers.rows[index]
        description = scene.describe(rng, index, row)
        return scene.draw(self.stickers, self.backgrounds, description, rng), description, row

    def pictures(self, rng, count):
        """uint8 [count,128,128,3]."""
        return np.stack([self.scene(rng)[0] for _ in range(count)])

    def captioned(self, rng, count, sentences):
        """(pictures [count,128,128,3], `sentences` captions of each, one after the other)."""
        pictures, said = [], []
        for _ in range(count):
            picture, description, row = self.scene(rng)
            pictures.append(picture)
            said += [captions.caption(rng, description, row) for _ in range(sentences)]
        return np.stack(pictures), said


@cache
def painter(folder, which='trained', alone=False):
    """The process's own Painter, made once: its stock of places takes seconds."""
    return Painter(folder, which, alone)
