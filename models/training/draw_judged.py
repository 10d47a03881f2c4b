"""Draws the scenes that the judge learns from and is measured on, with labels.

    python draw_judged.py STICKERS ARTIST RUN_DIR

STICKERS and ARTIST are folders of pack-stickers.mjs; RUN_DIR holds tokenizer/. For each set RUN_DIR gets NAME-pictures.npy (uint8
[N,128,128,3]), NAME-labels.npy (int16 [N,5], columns LABELS) and NAME-tokens.npy (int16 [N,24], of the caption; empty captions
where a set has none). The sets: `trained`, captioned scenes in which subjects are equally frequent; `others`, scenes in which
stickers are; and to measure on, `test` (new captioned scenes), `unseen` (held-out subjects) and `artist` (the artist who was
never trained on).
"""
import sys
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from tokenizer import encode
from world import captions, scene
from world.painter import painter
from world.subjects import SUBJECTS

LABELS = ('sticker', 'subject', 'ground', 'treatment', 'count')
# One class a word: several code points may be drawn for one.
WORDS = list(dict.fromkeys(subject.word for subject in SUBJECTS.values()))
GROUNDS = [*scene.PLACE_NAMES, *scene.COLOUR_NAMES]
CHUNK = 500
SEED = 9_000_000


class Set(NamedTuple):
    """Which stickers (an attribute of Stickers), of whom, whether captioned, and its chunks' numbers."""
    stickers: str
    artist: bool
    captioned: bool
    chunks: range


SETS = {
    'trained': Set('trained', False, True, range(120)), 'others': Set('trained', False, False, range(1000, 1080)),
    'test': Set('trained', False, True, range(5000, 5008)), 'unseen': Set('held_out', False, False, range(6000, 6008)),
    'artist': Set('held_out', True, False, range(7000, 7008)),
}


def labels(d, row):
    """The row of LABELS. Classes are 0 for none, and -1 for what no class is: a subject without a word, no ground."""
    subject, ground = SUBJECTS.get(row['hex']), d['place'] or d['colour']
    return [d['sticker'], WORDS.index(subject.word) if subject else -1, GROUNDS.index(ground) if ground else -1,
            1 + scene.TREATMENTS.index(d['treatment']) if d['treatment'] else 0, d['count'] - 1]


def draw(folders, kind, chunk):
    """(pictures, sentences, labels) of one chunk."""
    of, rng = painter(folders[kind.artist], kind.stickers, not kind.captioned), np.random.default_rng(SEED + chunk)
    pictures, sentences, rows = [], [], []
    for _ in range(CHUNK):
        picture, d, row = of.scene(rng)
        pictures.append(picture)
        rows.append(labels(d, row))
        sentences.append(captions.caption(rng, d, row) if kind.captioned else '')
    return np.stack(pictures), sentences, np.array(rows, np.int16)


def main(folder, artist, run):
    run = Path(run)
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    with Pool() as pool:
        for name, kind in SETS.items():
            pictures, sentences, rows = zip(*pool.imap(partial(draw, (folder, artist), kind), kind.chunks))
            np.save(run / f'{name}-pictures.npy', np.concatenate(pictures))
            np.save(run / f'{name}-labels.npy', np.concatenate(rows))
            tokens = [row for part in sentences for row in encode(tokenizer, part)]
            np.save(run / f'{name}-tokens.npy', np.array(tokens, np.int16))


if __name__ == '__main__':
    main(*sys.argv[1:4])
