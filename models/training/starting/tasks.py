"""Concepts to meta-train on: a sticker of the training world as the sample concepts show theirs, and scenes that it is asked for in.

A task's number is its seed. Every subject that is not held out may be drawn. Every fifteenth is kept for validation.
"""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import concepts
from tokenizer import encode
from trainer.light_vae import planes
from world import captions, scene, treatments
from world.backgrounds import Backgrounds
from world.scene import pick
from world.stickers import Stickers
from world.subjects import SUBJECTS

CHUNK = 32
GIVEN, PLACES, GROUNDS, TREATED = 4, 4, 2, 2
ASKED = PLACES + GROUNDS + TREATED
VALIDATION_STEP = 15
# Stands for the concept until its vectors do; no template has it.
STAND_IN = 'object'
TEMPLATES = captions.OBJECT_TEMPLATES['any']


@dataclass
class Tasks:
    """M concepts. Moments are the VAE's [M, n, 2 (mean, log-variance), 16, 8, 8]; prompts are token ids [M, n, T]."""

    given: torch.Tensor
    mirrored: torch.Tensor
    asked: torch.Tensor
    prompts: torch.Tensor
    scales: torch.Tensor


def validation_subjects(stickers):
    return set(sorted({stickers.rows[i]['hex'] for i in stickers.trained})[::VALIDATION_STEP])


def asked_for(rng, row):
    """[(changes to a plain description, prompt with `{}`)]: in places, on colours, under treatments."""
    scenes = [({'place': place, 'colour': None}, 'a photo of {} ' + pick(rng, captions.PLACE_PHRASES[place]))
              for place in rng.permutation(scene.places_of(row))[:PLACES]]
    scenes += [({'colour': ground}, pick(rng, TEMPLATES)) for ground in rng.permutation(scene.colours_of(row))[:GROUNDS]]
    for name in rng.permutation(scene.treatments_of(row))[:TREATED]:
        ground = None if name in treatments.OBJECTS else 'white'
        scenes.append(({'treatment': name, 'colour': ground}, pick(rng, captions.TREATMENT_PHRASES[name])))
    return scenes


class Artist:
    """Draws tasks and encodes them. `folder` is that of pack-stickers.mjs."""

    def __init__(self, folder, frozen, tokenizer, validation=False):
        self.stickers, self.backgrounds, self.frozen, self.tokenizer = Stickers(folder), Backgrounds(), frozen, tokenizer
        kept = validation_subjects(self.stickers)
        by_subject = {}
        for index in self.stickers.trained:
            code = self.stickers.rows[index]['hex']
            if (code in kept) == validation:
                by_subject.setdefault(code, []).append(index)
        self.subjects = list(by_subject.values())

    def draw(self, seed):
        """(given pictures, pictures asked for, their prompts, category) of one task."""
        rng = np.random.default_rng(seed)
        sticker = pick(rng, self.subjects[rng.integers(len(self.subjects))])
        row = self.stickers.rows[sticker]
        given = [self.picture(concepts.described(sticker, ground, i, rng), rng)
                 for i, ground in enumerate(rng.permutation(scene.colours_of(row))[:GIVEN])]
        scenes = asked_for(rng, row)
        asked = [self.picture({**concepts.described(sticker, None, i, rng), **changes}, rng) for i, (changes, _) in enumerate(scenes)]
        return given, asked, [said for _, said in scenes], SUBJECTS[row['hex']].category

    def picture(self, description, rng):
        return scene.draw(self.stickers, self.backgrounds, description, rng)

    @torch.no_grad()
    def moments(self, pictures):
        """[n, 2, 16, 8, 8] in half precision, of uint8 pictures [n, 128, 128, 3]."""
        with torch.autocast('cpu', torch.bfloat16):
            return self.frozen.moments(planes(pictures)).half()

    def tasks(self, seeds):
        """Tensors of Tasks by name."""
        drawn = [self.draw(seed) for seed in seeds]
        given, asked = (np.concatenate([each[part] for each in drawn]) for part in (0, 1))
        count = len(drawn)
        said = [line for each in drawn for line in prompt_ids(self.tokenizer, each[2])]
        scales = [self.frozen.embedding[self.tokenizer.token_to_id(f'{each[3]}</w>')].norm() for each in drawn]
        parts = {'given': self.moments(given), 'mirrored': self.moments(given[:, :, ::-1].copy()), 'asked': self.moments(asked),
                 'prompts': torch.tensor(said)}
        return {**{name: values.unflatten(0, (count, -1)) for name, values in parts.items()}, 'scales': torch.stack(scales)}


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
