"""Draws the world's own contact sheet: 40 pictures with their captions, the first that a seed gives.

    python -m world.sheet STICKERS OUT.png      (from models/training; STICKERS: the folder of `pack-stickers.mjs world`)
"""
import sys

import numpy as np

from sample import sheet
from world import captions, scene
from world.backgrounds import Backgrounds
from world.scene import pick
from world.stickers import Stickers

COUNT = 40


def main(folder, out):
    stickers, backgrounds, rng = Stickers(folder), Backgrounds(4), np.random.default_rng(1)
    pictures, sentences = [], []
    for _ in range(COUNT):
        index = pick(rng, stickers.trained)
        row = stickers.rows[index]
        d = scene.describe(rng, index, row)
        pictures.append(scene.draw(stickers, backgrounds, d, rng))
        sentences.append(captions.caption(rng, d, row))
    sheet(np.stack(pictures), sentences).quantize(128).save(out, optimize=True)


if __name__ == '__main__':
    main(*sys.argv[1:3])
