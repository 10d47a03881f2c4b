"""Meta-trains the mapper's start of a base, in the background; may be ended at any moment and begun again.

    python starting_mapper.py RUN_DIR go [--plan '{"outer_steps": 200}']
    python starting_mapper.py RUN_DIR measure [--from official] [--steps 0,10,25,50,100] [--concepts 16]
    python starting_mapper.py RUN_DIR write OUT_FILE

RUN_DIR lies outside the checkout and holds base/ (written by checkpoint.py from the shipped files) and stickers/ (pack-stickers.mjs
world). `go` adds tasks/ and trains in start/ (--name); `measure` teaches concepts that it never saw and says their loss on scenes they are
asked for; `write` makes the file that ships, in half precision but for the frequencies.
"""
import argparse
import json
import os
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from starting import mappers
from starting.frozen import Frozen
from starting.lesson import Lesson, School
from starting.meta import MetaTraining, Plan, run
from starting.tasks import Artist, Chunks

VALIDATION_SEED = 900_000


class Place:
    """What a run's folder holds."""

    def __init__(self, folder):
        self.folder, self.frozen = folder, Frozen(folder / 'base')
        self.tokenizer = Tokenizer.from_file(str(folder / 'base/tokenizer/tokenizer.json'))

    def chunks(self, validation=False):
        artist = Artist(self.folder / 'stickers', self.frozen, self.tokenizer, validation)
        name, seed = ('validation', VALIDATION_SEED) if validation else ('tasks', 0)
        return Chunks(self.folder / name, artist, seed)

    def school(self, frequencies):
        return School(self.frozen, self.tokenizer, frequencies)

    def training(self, name, plan):
        return MetaTraining(self.folder / name, plan, self.school, self.frozen.layers, self.frozen.shape.context, self.chunks())


def official_start(place, random):
    return mappers.official_start(random, place.frozen.layers, place.frozen.shape.context)


def kept_start(folder):
    """(frequencies, start) as far as a run has come."""
    state = torch.load(folder / 'state.pt', weights_only=True)
    return state['frequencies'], state['start']


def measure(place, source, steps, concepts):
    """Prints the mean loss after each of `steps` of training from a start."""
    random = torch.Generator().manual_seed(5)
    official = source == 'official'
    frequencies, start = official_start(place, random) if official else kept_start(place.folder / source)
    tasks = place.chunks(validation=True).take(0, concepts)
    lesson, found = Lesson(place.school(frequencies), start, tasks, random), {}
    for step in range(max(steps) + 1):
        if step in steps:
            found[step] = round(lesson.measure().mean().item(), 4)
        lesson.step()
    print(json.dumps({'start': source, 'concepts': concepts, 'loss': found}))


def write(place, source, out):
    frequencies, start = kept_start(place.folder / source)
    tensors = {name: values.half().contiguous() for name, values in start.items()}
    save_file({'encoder.w': frequencies, **tensors}, str(out))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('run', type=Path)
    parser.add_argument('what', choices=('go', 'measure', 'write'))
    parser.add_argument('out', type=Path, nargs='?')
    parser.add_argument('--name', default='start')
    parser.add_argument('--plan', type=json.loads, default={})
    parser.add_argument('--from', dest='source')
    parser.add_argument('--steps', default='0,10,25,50,100')
    parser.add_argument('--concepts', type=int, default=16)
    given = parser.parse_intermixed_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', os.cpu_count())))
    place = Place(given.run)
    if given.what == 'go':
        run(place.training(given.name, Plan(**given.plan)))
    elif given.what == 'measure':
        measure(place, given.source or given.name, [int(n) for n in given.steps.split(',')], given.concepts)
    else:
        write(place, given.name, given.out)


if __name__ == '__main__':
    main()
