"""Draws the training pictures and their captions once, so that no training step waits for a picture.

    python draw_pictures.py STICKERS RUN_DIR COUNT

RUN_DIR (which holds tokenizer/) gets pictures.npy (uint8 [COUNT,S,S,3], S = 64 or 128) and tokens.npy (int16 [COUNT,TOKENS]) of the
U-Net's subjects, and others.npy (uint8 [COUNT/2,S,S,3]): scenes of every sticker that is not held out, for the VAE
alone, since a wider VAE serves the user's own pictures better.
"""
import sys
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from captions import pick
from extent import SUBJECTS, captions, world
from stickers import Stickers
from tokenizer import encode

CHUNK = 500


def captioned(folder, seed):
    """(pictures uint8 [CHUNK,S,S,3], captions) of one chunk; each subject is equally frequent."""
    stickers, backgrounds, rng = Stickers(folder, SUBJECTS), world.Backgrounds(), np.random.default_rng(1000 + seed)
    by_subject = {}
    for s in stickers.trained:
        by_subject.setdefault(stickers.rows[s]['hex'], []).append(s)
    groups = list(by_subject.values())
    pictures, sentences = [], []
    for _ in range(CHUNK):
        s = pick(rng, groups[rng.integers(len(groups))])
        d = world.describe(rng, s, stickers.rows[s])
        pictures.append(world.draw(stickers, backgrounds, d, rng))
        sentences.append(captions.caption(rng, d, stickers.rows[s]))
    return np.stack(pictures), sentences


def scenes(stickers, backgrounds, choices, n, rng):
    """n pictures of random stickers among `choices`, uint8 [n,S,S,3]."""
    picks = rng.choice(choices, n)
    return np.stack([world.draw(stickers, backgrounds, world.describe(rng, s, stickers.rows[s]), rng) for s in picks])


def uncaptioned(folder, seed):
    """Pictures uint8 [CHUNK,S,S,3] of every sticker that is not held out."""
    stickers = Stickers(folder, SUBJECTS)
    return scenes(stickers, world.Backgrounds(), stickers.others, CHUNK, np.random.default_rng(500_000 + seed))


def main(folder, run, count):
    run, chunks = Path(run), int(count) // CHUNK
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    with Pool() as pool:
        pictures, sentences = zip(*pool.imap(partial(captioned, folder), range(chunks)))
        others = list(pool.imap(partial(uncaptioned, folder), range(chunks // 2)))
    np.save(run / 'pictures.npy', np.concatenate(pictures))
    np.save(run / 'tokens.npy', np.concatenate([np.array(encode(tokenizer, part), np.int16) for part in sentences]))
    np.save(run / 'others.npy', np.concatenate(others))


if __name__ == '__main__':
    main(*sys.argv[1:4])
