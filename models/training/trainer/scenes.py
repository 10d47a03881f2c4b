"""Scenes of the world as the U-Net reads them: latents and three captions each, drawn and encoded in chunks.

A chunk's number is its seed, so a scene never depends on when it was drawn. Pixels are not kept.
"""
import os
from multiprocessing import get_context

import numpy as np
import torch
from tokenizers import Tokenizer

from tokenizer import encode
from trainer.light_vae import planes
from world.painter import painter

# Two processes draw a chunk; how it is divided is part of what the seed means.
CHUNK, PARTS, CAPTIONS, SEED = 500, 2, 3, 5_000_000
TESTS, TESTS_SEED = 1024, 99


def draw_part(part):
    stickers, seed, count = part
    return painter(stickers).captioned(np.random.default_rng(seed), count, CAPTIONS)


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
        self.pool = self.pool or get_context('fork').Pool(PARTS)
        drawn = self.pool.map(draw_part, [(self.stickers, (seed, k), count // PARTS) for k in range(PARTS)], 1)
        return np.concatenate([pictures for pictures, _ in drawn]), [s for _, some in drawn for s in some]

    @torch.no_grad()
    def encode(self, pictures):
        """Scaled means, half precision [n,4,16,16]."""
        with torch.autocast('cpu', torch.bfloat16):
            means = [self.vae.mean(part).float() for part in planes(pictures).split(100)]
        return (torch.cat(means) * self.scale).half()
