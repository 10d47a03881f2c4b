"""Concepts to meta-train on: a sticker of the training world as the sample concepts show theirs, and scenes that it is asked for in.

A task's number is its seed. Every subject in the styles of the world that is not held out may be drawn, whether captions have a
word for it or not: a concept that is new to the base is what a training meets. Every fifteenth subject is kept for validation.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import captions
import concepts
import world
from captions import pick
from full.subjects import SUBJECTS
from stickers import Stickers
from subjects import CATEGORIES
from tokenizer import encode
from train_vae import tensor

CHUNK = 32
GIVEN, PLACES, GROUNDS, TREATED = 4, 4, 2, 2
ASKED = PLACES + GROUNDS + TREATED
VALIDATION_STEP = 15
# Stands for the concept until its vectors do; no template has it.
STAND_IN = 'object'
TEMPLATES = captions.OBJECT_TEMPLATES['any']
TREATMENTS = ['pencil', 'watercolor']


@dataclass
class Tasks:
    """M concepts. Moments are the VAE's [M, n, 2 (mean, log-variance), 4, h, w]; prompts are token ids [M, n, T]."""

    given: torch.Tensor
    mirrored: torch.Tensor
    asked: torch.Tensor
    prompts: torch.Tensor
    scales: torch.Tensor


def validation_subjects(stickers):
    return set(sorted({row['hex'] for row in stickers.rows if not row['heldOut']})[::VALIDATION_STEP])


class Artist:
    """Draws tasks and encodes them. `folder` is that of pack-stickers.mjs."""

    def __init__(self, folder, frozen, tokenizer, validation=False):
        self.stickers, self.backgrounds, self.frozen, self.tokenizer = Stickers(folder, SUBJECTS), world.Backgrounds(), frozen, tokenizer
        kept = validation_subjects(self.stickers)
        by_subject = {}
        for index in self.stickers.trained:
            row = self.stickers.rows[index]
            if row['style'] in world.STYLES and (row['hex'] in kept) == validation:
                by_subject.setdefault(row['hex'], []).append(index)
        self.subjects = list(by_subject.values())

    def draw(self, seed):
        """(given pictures, pictures asked for, their prompts, category) of one task."""
        rng = np.random.default_rng(seed)
        sticker = pick(rng, self.subjects[rng.integers(len(self.subjects))])
        grounds = rng.permutation(world.COLOUR_NAMES)
        given = [self.picture(concepts.described(sticker, ground, i, rng), rng) for i, ground in enumerate(grounds[:GIVEN])]
        scenes = [({'place': place, 'colour': None}, 'a photo of {} ' + pick(rng, captions.PLACE_PHRASES[place]))
                  for place in rng.permutation(world.PLACE_NAMES)[:PLACES]]
        scenes += [({'colour': ground}, pick(rng, TEMPLATES)) for ground in grounds[GIVEN:GIVEN + GROUNDS]]
        scenes += [({'treatment': name, 'colour': 'white'}, pick(rng, captions.TREATMENT_PHRASES[name])) for name in TREATMENTS]
        asked = [self.picture({**concepts.described(sticker, None, i, rng), **changes}, rng) for i, (changes, _) in enumerate(scenes)]
        category = SUBJECTS[self.stickers.rows[sticker]['hex']].category
        return given, asked, [said for _, said in scenes], category if category in CATEGORIES else 'object'

    def picture(self, description, rng):
        return world.draw(self.stickers, self.backgrounds, description, rng)

    @torch.no_grad()
    def moments(self, pictures):
        """[n, 2, 4, h, w] in half precision, of uint8 pictures [n, S, S, 3]."""
        with torch.autocast('cpu', torch.bfloat16):
            found = self.frozen.vae.encode(tensor(pictures)).latent_dist
        return torch.stack([found.mean, found.logvar], 1).half()

    def tasks(self, seeds):
        """Tensors of Tasks by name."""
        drawn = [self.draw(seed) for seed in seeds]
        given, asked = (np.concatenate([each[part] for each in drawn]) for part in (0, 1))
        count = len(drawn)
        said = [line for each in drawn for line in prompt_ids(self.tokenizer, each[2])]
        scales = [self.frozen.embedding[self.tokenizer.token_to_id(f'{each[3]}</w>')].norm() for each in drawn]
        return {'given': self.moments(given).unflatten(0, (count, -1)), 'mirrored': self.moments(given[:, :, ::-1].copy()).unflatten(0, (count, -1)),
                'asked': self.moments(asked).unflatten(0, (count, -1)), 'prompts': torch.tensor(said).unflatten(0, (count, -1)),
                'scales': torch.stack(scales)}


def prompt_ids(tokenizer, prompts):
    """Token ids [n, T] of prompts with one `{}` each, where the stand-in stands."""
    return encode(tokenizer, [prompt.format(STAND_IN) for prompt in prompts])


class Chunks:
    """Tasks in files of CHUNK, drawn when they are asked for."""

    def __init__(self, folder, artist, first_seed):
        self.folder, self.artist, self.first_seed = Path(folder), artist, first_seed
        self.folder.mkdir(parents=True, exist_ok=True)

    def chunk(self, number):
        path = self.folder / f'{number}.safetensors'
        if not path.exists():
            first = self.first_seed + CHUNK * number
            aside = path.with_suffix('.new')
            save_file({k: v.contiguous() for k, v in self.artist.tasks(range(first, first + CHUNK)).items()}, str(aside))
            aside.rename(path)
        return load_file(str(path))

    def take(self, first, count):
        """`count` tasks from number `first` on; both are multiples of what divides CHUNK."""
        chunk, at = self.chunk(first // CHUNK), first % CHUNK
        return Tasks(**{name: values[at:at + count] for name, values in chunk.items()})
