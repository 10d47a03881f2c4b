"""Hold-outs, determinism and true captions of the sticker world: `STICKERS=folder pytest test_world.py`."""
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

import captions
import draw_judged
import tokenizer
import world
from stickers import Stickers
from subjects import SUBJECTS

HERE = Path(__file__).parent
HELD_OUT = {s['hex'] for s in json.loads((HERE / 'data/holdout.json').read_text())['subjects']}


@pytest.fixture(scope='module')
def stickers():
    if 'STICKERS' not in os.environ:
        pytest.skip('set STICKERS to the folder that pack-stickers.mjs wrote')
    return Stickers(os.environ['STICKERS'], SUBJECTS)


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def test_no_subject_is_held_out():
    assert len(SUBJECTS) == 148 and not HELD_OUT & set(SUBJECTS)


def test_held_out_artwork_is_marked_and_streamline_is_packed_apart():
    artwork = json.loads((HERE / 'data/artwork.json').read_text())
    sets = json.loads((HERE / 'data/styles.json').read_text())
    assert {row['hex'] for row in artwork if row['heldOut']} == HELD_OUT
    assert 'streamline-emojis' in sets['artist'].values()
    assert not {'streamline-emojis'} & {*sets['small'].values(), *sets['full'].values()}
    assert list(sets['small']) == world.STYLES


def test_the_world_of_the_shipped_base_is_unchanged(stickers):
    """Two hundred scenes and captions, bit by bit, as when the base was trained."""
    digests, backgrounds = hashlib.sha256(), world.Backgrounds(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        index = stickers.trained[rng.integers(len(stickers.trained))]
        d = world.describe(rng, index)
        digests.update(world.draw(stickers, backgrounds, d, rng).tobytes())
        digests.update(captions.caption(rng, d, stickers.rows[index]).encode())
    assert digests.hexdigest() == '77b3160194c14b573b5b1e7f69875862b32f97b01ee03dc20750bf5e0b8f3e04'


def test_no_held_out_picture_among_the_trained(stickers):
    held_out = {digest(np.asarray(stickers.image(i))) for i in stickers.held_out}
    free = {digest(np.asarray(stickers.image(i))) for i in stickers.others}
    assert len(held_out) > 200 and not held_out & free
    assert set(stickers.trained) < set(stickers.others)


def scene(stickers, seed):
    rng = np.random.default_rng(seed)
    index = stickers.trained[rng.integers(len(stickers.trained))]
    d = world.describe(rng, index)
    return world.draw(stickers, world.Backgrounds(2), d, rng), captions.caption(rng, d, stickers.rows[index])


def test_a_seed_fixes_picture_and_caption(stickers):
    (a, said), (b, again), (c, _) = (scene(stickers, seed) for seed in (5, 5, 6))
    assert digest(a) == digest(b) and said == again and digest(a) != digest(c)


def test_captions_are_true(stickers):
    rng = np.random.default_rng(0)
    for _ in range(2000):
        index = stickers.trained[rng.integers(len(stickers.trained))]
        d, row = world.describe(rng, index), stickers.rows[index]
        words = captions.caption(rng, d, row).split()
        assert ('small' in words) <= (d['size'] < 0.57) and ('dark' in words) <= (d['light'] == 'dark')
        assert ('moon' in words) <= (d['place'] == 'moon') and ('silhouette' in words) <= (d['treatment'] == 'silhouette')
        for style in world.STYLES:
            assert (style in words) <= (row['style'] == style)


def test_every_word_is_one_token(tmp_path):
    from tokenizers import Tokenizer
    tokenizer.save(tmp_path)
    read = Tokenizer.from_file(str(tmp_path / 'tokenizer.json'))
    lengths = {w: len(read.encode(w).ids) - 2 for w in captions.ALL_WORDS}
    assert {w for w, n in lengths.items() if n != 1} == {'3d'}
    assert read.encode('A Photo').ids == read.encode('a photo').ids


def test_labels_of_a_judged_scene_are_what_was_described(stickers):
    order, rng = list(SUBJECTS), np.random.default_rng(3)
    for index in [*stickers.trained[::40], *stickers.held_out[::40]]:
        d, code = world.describe(rng, index), stickers.rows[index]['hex']
        label = dict(zip(draw_judged.LABELS, draw_judged.labels(stickers, d)))
        grounds = [*world.PLACE_NAMES, *world.COLOUR_NAMES]
        assert label['sticker'] == index and grounds[label['ground']] == (d['place'] or d['colour'])
        assert [None, *world.TREATMENTS][label['treatment']] == d['treatment']
        assert label['subject'] == -1 if code not in SUBJECTS else order[label['subject']] == code
