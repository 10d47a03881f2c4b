"""Captions, hold-outs and determinism of the world: `STICKERS=folder STICKERS_ARTIST=folder pytest`.

What needs no artwork is tested without it.
"""
import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

import draw_judged
import tokenizer
from world import captions, scene
from world.backgrounds import Backgrounds
from world.captions import OBJECT_TEMPLATES, STYLE_TEMPLATES
from world.nouns import bare, plural
from world.scene import pick
from world.stickers import Stickers
from world.subjects import CATEGORIES, SUBJECTS

DATA = Path(__file__).parent.parent / 'data'
HELD_OUT = {s['hex'] for s in json.loads((DATA / 'holdout.json').read_text())['subjects']}
ARTWORK = json.loads((DATA / 'artwork.json').read_text())
CODES = list(SUBJECTS)


def described(n, seed=0):
    """n random (generator, description, row) of the world, without artwork."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        row = {'hex': pick(rng, CODES), 'style': pick(rng, scene.STYLES), 'plain': bool(rng.random() < 0.2)}
        yield rng, scene.describe(rng, 0, row), row


def says(sentence, phrase):
    return re.search(rf'\b{re.escape(phrase)}\b', sentence) is not None


def test_the_world_is_as_large_as_specified():
    assert len(SUBJECTS) + len(HELD_OUT) == 695
    assert (len(scene.STYLES), len(scene.PLACE_NAMES), len(scene.COLOUR_NAMES), len(scene.TREATMENTS)) == (9, 14, 14, 13)


def test_no_subject_is_held_out_and_none_has_anothers_word():
    assert not HELD_OUT & set(SUBJECTS)
    words = {s.word for s in SUBJECTS.values()}
    assert not [(s.word, other) for s in SUBJECTS.values() for other in s.synonyms if other in words]
    held_out_names = {row['name'] for row in ARTWORK if row['hex'] in HELD_OUT}
    assert not held_out_names & (words | {w for s in SUBJECTS.values() for w in s.synonyms})


def test_held_out_artwork_is_marked_and_streamline_is_packed_apart():
    sets = json.loads((DATA / 'styles.json').read_text())
    assert {row['hex'] for row in ARTWORK if row['heldOut']} == HELD_OUT
    assert 'streamline-emojis' in sets['artist'].values() and 'streamline-emojis' not in sets['world'].values()
    assert list(sets['world']) == scene.STYLES


def test_places_treatments_and_light_are_said_only_where_they_are():
    claims = {}
    for phrases, key in ((captions.PLACE_PHRASES, 'place'), (captions.POSITIONS, 'position')):
        for value, group in phrases.items():
            claims.update({phrase: (key, value) for phrase in group})
    claims |= {f'{word} photo': ('light', word) for word in ('dark', 'bright')}
    claims |= {f'{word} {kind}': ('size', 'close') for word in ('cropped', 'close-up') for kind in ('photo',)}
    claims |= {f'{colour} background': ('colour', colour) for colour in scene.COLOUR_NAMES}
    claims |= {'silhouette': ('treatment', 'silhouette'), 'monet': ('treatment', 'monet'), 'chagall': ('treatment', 'chagall'),
               'oil painting': ('treatment', 'oil'), 'manga': ('treatment', 'manga'), 'pixel art': ('treatment', 'pixel art'),
               'app icon': ('treatment', 'app icon'), 'graffiti': ('treatment', 'graffiti'), 'neon': ('treatment', 'neon sign'),
               'sand sculpture': ('treatment', 'sand sculpture'), 'statue': ('treatment', 'statue'),
               'watercolor': ('treatment', 'watercolor'), 'pencil drawing': ('treatment', 'pencil')}
    heard = Counter()
    for rng, d, row in described(8000):
        sentence = captions.caption(rng, d, row)
        for phrase, (key, value) in claims.items():
            if says(sentence, phrase):
                heard[phrase] += 1
                assert d[key] == value, (sentence, d)
    assert set(heard) == set(claims)


def test_the_place_is_always_said():
    for rng, d, row in described(3000, 1):
        if d['place']:
            sentence = captions.caption(rng, d, row)
            assert any(says(sentence, phrase) for phrase in captions.PLACE_PHRASES[d['place']]), sentence


def test_counts_sizes_and_tints_are_said_only_where_they_are():
    heard = Counter()
    for rng, d, row in described(8000, 2):
        words = captions.caption(rng, d, row).split()
        for number, word in captions.NUMBERS.items():
            heard[word] += word in words
            assert (word in words) <= (d['count'] == number)
        # A template's "one" is true, and "small" and "large" are sizes of the thing in the picture.
        for word in ('small', 'large'):
            heard[word] += word in words
            assert (word in words) <= (d['size'] == word)
        for word in set(scene.TINTS) - set(scene.COLOUR_NAMES):
            heard[word] += word in words
            assert (word in words) <= (d['tint'] == word)
        if d['treatment']:
            assert (d['count'], d['size'], d['position'], d['tint'], d['light']) == (1, None, None, None, None)
    assert all(heard.values()) and len(heard) == 5


def test_the_thing_and_its_style_are_named_truly():
    categories = 0
    for rng, d, row in described(8000, 3):
        sentence, subject = captions.caption(rng, d, row), SUBJECTS[row['hex']]
        own = {subject.word, *subject.synonyms, subject.category, 'object'}
        named = {noun for noun in own if says(sentence, noun) or says(sentence, plural(noun))}
        style = [s for s in scene.STYLES if says(sentence, f'in {s} style') or says(sentence, f'style of {s}')]
        assert named or style, sentence
        assert style in ([], [row['style']]), sentence
        categories += not named & {subject.word, *subject.synonyms} and bool(named)
    assert 0.05 < categories / 8000 < 0.11


def test_nouns_agree_with_their_articles_and_numbers():
    for rng, d, row in described(6000, 4):
        sentence = captions.caption(rng, d, row)
        assert not re.search(r'\ba [aeiou]', sentence), sentence
        assert not re.search(r'\ban (?!hourglass|xray)[^aeiou]', sentence), sentence
        if d['count'] == 1 and not bare(SUBJECTS[row['hex']].word):
            assert not says(sentence, 'two') and not says(sentence, 'three')


def test_the_papers_sentences_are_in_the_vocabulary():
    known = set(captions.ALL_WORDS) | {'s', 'close', 'up'}
    templates = [t for group in OBJECT_TEMPLATES.values() for t in group]
    assert len(templates) == 27 and len(STYLE_TEMPLATES) == 19 and len(captions.EVALUATION_PROMPTS) == 15
    for sentence in (*templates, *STYLE_TEMPLATES, *captions.EVALUATION_PROMPTS):
        assert set(sentence.replace('{}', ' ').replace('-', ' ').split()) <= known, sentence


def test_captions_stay_within_the_vocabulary():
    known = set(captions.ALL_WORDS)
    for rng, d, row in described(8000, 5):
        assert set(captions.caption(rng, d, row).replace('-', ' ').split()) <= known


def test_every_category_is_one_word():
    assert all(category.isalpha() for category in CATEGORIES)


def test_held_out_pairs_are_a_twentieth_and_never_described():
    pairs = scene.held_out_pairs()
    assert 0.04 < len(pairs) / (len(SUBJECTS) * len(scene.PLACE_NAMES)) < 0.06
    held_out = set(pairs)
    seen = {(row['hex'], d['place']) for _, d, row in described(20_000, 6) if d['place']}
    assert len(seen) > 3000 and not seen & held_out


def test_a_seed_fixes_description_and_caption():
    first, again, other = ([(d, captions.caption(rng, d, row)) for rng, d, row in described(50, seed)] for seed in (7, 7, 8))
    assert first == again and first != other


def test_every_word_is_one_token(tmp_path):
    tokenizer.save(tmp_path)
    read = Tokenizer.from_file(str(tmp_path / 'tokenizer.json'))
    lengths = {word: len(read.encode(word).ids) - 2 for word in captions.ALL_WORDS}
    assert {word for word, n in lengths.items() if n != 1} == {'3d'}
    assert read.encode('A Photo').ids == read.encode('a photo').ids


@pytest.fixture(scope='module')
def stickers():
    if 'STICKERS' not in os.environ:
        pytest.skip('set STICKERS to the folder that `pack-stickers.mjs world` wrote')
    return Stickers(os.environ['STICKERS'])


@pytest.fixture(scope='module')
def artist():
    if 'STICKERS_ARTIST' not in os.environ:
        pytest.skip('set STICKERS_ARTIST to the folder that `pack-stickers.mjs artist` wrote')
    return Stickers(os.environ['STICKERS_ARTIST'])


def digests(stickers, indices):
    return {hashlib.sha256(np.asarray(stickers.image(i)).tobytes()).hexdigest() for i in indices}


def test_no_held_out_picture_among_the_trained(stickers, artist):
    free, held_out = digests(stickers, stickers.trained), digests(stickers, stickers.held_out)
    unseen = digests(artist, range(len(artist.rows)))
    assert len(held_out) > 400 and len(unseen) > 250
    assert not free & held_out and not free & unseen
    assert not artist.trained


def test_every_subject_and_style_has_artwork(stickers):
    rows = [stickers.rows[i] for i in stickers.trained]
    assert {row['hex'] for row in rows} == set(SUBJECTS) and {row['style'] for row in rows} == set(scene.STYLES)


def test_the_world_of_the_base_is_unchanged(stickers):
    """A hundred scenes and captions, bit by bit, as when the base was trained."""
    found, backgrounds = hashlib.sha256(), Backgrounds(2)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        index = stickers.trained[rng.integers(len(stickers.trained))]
        row = stickers.rows[index]
        d = scene.describe(rng, index, row)
        found.update(scene.draw(stickers, backgrounds, d, rng).tobytes())
        found.update(captions.caption(rng, d, row).encode())
    assert found.hexdigest() == '2cf4a54d9473fcc9380e1a9170247d7b64cea85b46199eb0b4f0073976d15b2a'


def test_labels_of_a_judged_scene_are_what_was_described(stickers):
    words, rng = draw_judged.WORDS, np.random.default_rng(3)
    for index in [*stickers.trained[::40], *stickers.held_out[::10]]:
        row = stickers.rows[index]
        d = scene.describe(rng, index, row)
        label = dict(zip(draw_judged.LABELS, draw_judged.labels(d, row)))
        ground = d['place'] or d['colour']
        assert label['sticker'] == index and label['count'] == d['count'] - 1
        assert draw_judged.GROUNDS[label['ground']] == ground if ground else label['ground'] == -1
        assert [None, *scene.TREATMENTS][label['treatment']] == d['treatment']
        known = SUBJECTS.get(row['hex'])
        assert words[label['subject']] == known.word if known else label['subject'] == -1


def test_a_seed_fixes_the_picture_and_every_treatment_changes_it(stickers):
    backgrounds, index = Backgrounds(2), stickers.trained[0]
    row = stickers.rows[index]
    plain = scene.describe(np.random.default_rng(0), index, row) | {
        'treatment': None, 'place': None, 'colour': 'white', 'count': 1, 'tint': None, 'light': None, 'size': None}
    drawn = {name: scene.draw(stickers, backgrounds, plain | {'treatment': name}, np.random.default_rng(3))
             for name in (None, *scene.TREATMENTS)}
    again = scene.draw(stickers, backgrounds, plain, np.random.default_rng(3))
    assert drawn[None].shape == (128, 128, 3) and (again == drawn[None]).all()
    assert all(np.abs(drawn[name].astype(int) - drawn[None]).mean() > 4 for name in scene.TREATMENTS)


def test_as_many_things_as_the_description_counts(stickers):
    """Copies are disjoint in the drawn alpha: so many columns of picture, with gaps between."""
    index = next(i for i in stickers.trained if SUBJECTS[stickers.rows[i]['hex']].word == 'apple')
    for count in (1, 2, 3):
        d = scene.describe(np.random.default_rng(0), index, stickers.rows[index]) | {
            'treatment': None, 'count': count, 'size': None, 'position': None, 'angle': 0.0}
        canvas, boxes = scene.placed(stickers.image(index), d, np.random.default_rng(1), None)
        solid = (canvas[..., 3] > 40).any(0)
        assert len(boxes) == count and (np.diff(solid.astype(int), prepend=0) == 1).sum() == count
