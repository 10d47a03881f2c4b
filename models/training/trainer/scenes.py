"""Scenes of the full world as the U-Net reads them: latents and three captions each, drawn and encoded in chunks.

A chunk's number is its seed, so a scene never depends on when it was drawn. Pixels are not kept.
"""
import os
from multiprocessing import get_context

import numpy as np
import torch
from tokenizers import Tokenizer

os.environ['WORLD'] = 'full'
from captions import pick  # noqa: E402  (the world is chosen above)
from full import captions, world  # noqa: E402
from full.subjects import SUBJECTS  # noqa: E402
from stickers import Stickers  # noqa: E402
from tokenizer import encode  # noqa: E402

# Two processes draw a chunk; how it is divided is part of what the seed means.
CHUNK, PARTS, CAPTIONS, SEED = 500, 2, 3, 5_000_000
TESTS, TESTS_SEED = 1024, 99


class Artist:
    """Draws pictures uint8 [n,128,128,3] and says `CAPTIONS` sentences about each."""

    def __init__(self, stickers):
        self.stickers, self.backgrounds = Stickers(stickers, SUBJECTS), world.Backgrounds()
        by_subject = {}
        for index in self.stickers.trained:
            by_subject.setdefault(self.stickers.rows[index]['hex'], []).append(index)
        self.groups = list(by_subject.values())

    def draw(self, rng, count):
        pictures, sentences = [], []
        for _ in range(count):
            index = pick(rng, self.groups[rng.integers(len(self.groups))])
            row = self.stickers.rows[index]
            description = world.describe(rng, index, row)
            pictures.append(world.draw(self.stickers, self.backgrounds, description, rng))
            sentences += [captions.caption(rng, description, row) for _ in range(CAPTIONS)]
        return np.stack(pictures), sentences


ARTIST = None


def start(stickers):
    global ARTIST
    ARTIST = Artist(stickers)


def draw_part(part):
    seed, count = part
    return ARTIST.draw(np.random.default_rng(seed), count)


class Scenes:
    """The chunks in a run's folder. Those that a step needs are drawn when it asks for them."""

    def __init__(self, run, vae, scale):
        self.folder, self.vae, self.scale = run / 'scenes', vae, scale
        self.folder.mkdir(exist_ok=True)
        self.stickers = str(run / 'stickers')
        self.tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
        self.pool, self.latents, self.tokens = None, [], []

    def ensure(self, count):
        """Has at least `count` chunks, drawing what is missing."""
        for number in range(len(self.latents), count):
            latents, tokens = self.chunk(f'{number:06d}', SEED + number, CHUNK)
            self.latents.append(latents)
            self.tokens.append(tokens)

    def tests(self):
        """(latents, tokens) of scenes that are never trained on."""
        latents, tokens = self.chunk('tests', TESTS_SEED, TESTS)
        return latents.float(), tokens[:, 0].long()

    def chunk(self, name, seed, count):
        path = self.folder / f'{name}.pt'
        if not path.exists():
            pictures, sentences = self.draw(seed, count)
            tokens = torch.tensor(encode(self.tokenizer, sentences), dtype=torch.int16).view(count, CAPTIONS, -1)
            torch.save((self.encode(pictures), tokens), path.with_suffix('.new'))
            os.replace(path.with_suffix('.new'), path)
        return torch.load(path)

    def draw(self, seed, count):
        """Part k has the seed (seed, k)."""
        self.pool = self.pool or get_context('fork').Pool(PARTS, start, (self.stickers,))
        drawn = self.pool.map(draw_part, [((seed, k), count // PARTS) for k in range(PARTS)])
        return np.concatenate([pictures for pictures, _ in drawn]), [s for _, some in drawn for s in some]

    @torch.no_grad()
    def encode(self, pictures):
        """Scaled means, half precision [n,4,16,16]."""
        planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        with torch.autocast('cpu', torch.bfloat16):
            means = [self.vae.mean(part).float() for part in planes.split(100)]
        return (torch.cat(means) * self.scale).half()
