"""Draws the world's own contact sheet: 40 pictures with their captions, the first that a seed gives.

    python -m full.sheet STICKERS OUT.png      (from models/training; STICKERS: the folder of `pack-stickers.mjs full`)
"""
import sys

import numpy as np

from captions import pick
from full import captions, world
from full.subjects import SUBJECTS
from sample import sheet
from stickers import Stickers

COUNT = 40


def main(folder, out):
    stickers, backgrounds, rng = Stickers(folder, SUBJECTS), world.Backgrounds(4), np.random.default_rng(1)
    pictures, sentences = [], []
    for _ in range(COUNT):
        index = pick(rng, stickers.trained)
        row = stickers.rows[index]
        d = world.describe(rng, index, row)
        pictures.append(world.draw(stickers, backgrounds, d, rng))
        sentences.append(captions.caption(rng, d, row))
    sheet(np.stack(pictures), sentences).quantize(128).save(out, optimize=True)


if __name__ == '__main__':
    main(*sys.argv[1:3])
