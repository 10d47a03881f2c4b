"""The meta-training of the starting mapper: the mapper against the official one's numbers, hold-outs, cutting and going on."""
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from starting import mappers
from starting.frozen import Frozen
from starting.lesson import Lesson, School
from starting.meta import MetaTraining, Plan
from starting.tasks import ASKED, GIVEN, Artist, Tasks, validation_subjects
from trainer.light_vae import LightVae, save_vae
from trainer.networks import CELLS, CHANNELS, Networks, Shape, save_networks

HERE = Path(__file__).parent
GOLDENS = HERE / '../../src/neti/fixtures/mapper_pe_bypass_norm.safetensors'
STAND_IN = 700
SHAPE = Shape(vocabulary=800, start=798, end=799, widths=(32, 32, 32, 32), text_layers=2)


@pytest.fixture(scope='module')
def official():
    with safe_open(str(GOLDENS), 'pt') as file:
        return {name: file.get_tensor(name) for name in file.keys()}, float(file.metadata()['norm_scale'])


@pytest.mark.parametrize('keep', [128, 64, 1])
def test_each_of_two_mappers_side_by_side_is_the_official_one(official, keep):
    """Rows of both are the same, the second's weights are others."""
    goldens, scale = official
    weights = {name[6:]: torch.stack([values, 2 * values]) for name, values in goldens.items() if name.startswith('param.')}
    encoded = mappers.encode(goldens['encoder.w'], goldens['in.timesteps'], goldens['in.layers'])
    assert (encoded - goldens['fwd.encoded']).norm() / goldens['fwd.encoded'].norm() < 1e-5
    rows = len(encoded)
    out = mappers.forward(weights, encoded.expand(2, -1, -1), torch.full((2, rows), keep), torch.tensor([scale, scale]))
    found, expected = torch.cat(out, -1), goldens['fwd.output' if keep == 128 else f'fwd.output.trunc{keep}']
    assert (found[0] - expected).norm() / expected.norm() < 1e-5
    assert (found[1] - expected).norm() / expected.norm() > 1e-2


def test_nested_dropout_strikes_half_of_the_pairs_of_a_layer():
    keep = mappers.nested_dropout(torch.Generator().manual_seed(1), 50, 16, 4)
    pairs = keep.view(50, 16, 2, 2)
    struck = (pairs < mappers.HIDDEN).any(-1)
    assert 0.45 < struck.float().mean() < 0.55 and ((pairs == mappers.HIDDEN).all(-1) == ~struck).all()
    assert keep.min() == 0 and keep[keep < mappers.HIDDEN].float().mean() == pytest.approx(63.5, abs=3)


class Made:
    """Tasks of noise."""

    def take(self, first, count):
        random = torch.Generator().manual_seed(first)
        moments = torch.randn(3, count, 4, 2, CHANNELS, CELLS, CELLS, generator=random)
        prompts = torch.full((count, 4, SHAPE.tokens), 3).index_fill(2, torch.tensor([4]), STAND_IN)
        return Tasks(*moments, prompts, torch.full((count,), 0.6))


class MadeSchool(School):
    """Prompts of made-up words on a base of random weights."""

    def __init__(self, frozen, frequencies):
        self.frozen, self.frequencies, self.stand_in = frozen, frequencies, STAND_IN
        self.templates = torch.full((2, SHAPE.tokens), 5).index_fill(1, torch.tensor([3]), STAND_IN)


@pytest.fixture(scope='module')
def frozen(tmp_path_factory):
    """A base of random weights."""
    run = tmp_path_factory.mktemp('run')
    torch.manual_seed(1)
    save_networks(Networks(SHAPE), SHAPE, run / 'unet')
    save_vae(LightVae(), {'scaling_factor': 1.0}, run / 'vae')
    return Frozen(run)


def training(folder, frozen, steps=3):
    plan = Plan(together=1, outer_steps=steps, concepts=1, steps=1, practice=1, tasks=4)
    return MetaTraining(folder, plan, lambda frequencies: MadeSchool(frozen, frequencies), frozen.layers, SHAPE.context, Made())


def test_cut_after_two_steps_it_comes_to_the_same_start(frozen, tmp_path):
    whole = training(tmp_path / 'whole', frozen)
    first = {name: values.clone() for name, values in whole.start.items()}
    for _ in range(4):
        whole.train_step()
    cut = training(tmp_path / 'cut', frozen)
    for _ in range(2):
        cut.train_step()
    cut.save()
    rest = training(tmp_path / 'cut', frozen)
    for _ in range(2):
        rest.train_step()
    for name, values in whole.start.items():
        assert torch.equal(rest.start[name], values) and not torch.equal(first[name], values), name
    with pytest.raises(ValueError, match='use another folder'):
        training(tmp_path / 'cut', frozen, steps=4)


def test_concepts_taught_side_by_side_do_not_meet(frozen):
    """Other pictures of the second change nothing in the first."""
    learned = []
    for seed in (1, 2):
        random = torch.Generator().manual_seed(1)
        frequencies, start = mappers.official_start(random, frozen.layers, SHAPE.context)
        tasks = Made().take(0, 2)
        for part in (tasks.given, tasks.mirrored):
            part[1] = torch.randn(part[1].shape, generator=torch.Generator().manual_seed(seed))
        lesson = Lesson(MadeSchool(frozen, frequencies), start, tasks, random)
        lesson.step()
        learned.append(lesson.weights['output_layer.0.weight'].detach())
    assert torch.equal(learned[0][0], learned[1][0]) and not torch.equal(learned[0][1], learned[1][1])


def test_no_held_out_subject_is_a_task():
    if 'STICKERS' not in os.environ:
        pytest.skip('set STICKERS to the folder that pack-stickers.mjs wrote')
    held_out = {subject['hex'] for subject in json.loads((HERE / 'data/holdout.json').read_text())['subjects']}
    sides = []
    for validation in (False, True):
        artist = Artist(os.environ['STICKERS'], None, None, validation)
        rows = [artist.stickers.rows[index] for subject in artist.subjects for index in subject]
        assert not any(row['heldOut'] for row in rows)
        sides.append({row['hex'] for row in rows})
    assert not sides[0] & sides[1] and not (sides[0] | sides[1]) & held_out
    assert sides[1] == validation_subjects(artist.stickers) & sides[1]


def test_a_task_shows_a_concept_plainly_and_in_scenes():
    if 'STICKERS' not in os.environ:
        pytest.skip('set STICKERS to the folder that pack-stickers.mjs wrote')
    artist = Artist(os.environ['STICKERS'], None, None)
    for seed in range(20):
        given, asked, prompts, _ = artist.draw(seed)
        assert len(given) == GIVEN and len(asked) == len(prompts) == ASKED
        assert all(picture.shape == (128, 128, 3) for picture in (*given, *asked))
        assert all(prompt.count('{}') == 1 for prompt in prompts)
