"""Draws the sample concepts: twelve held-out subjects in trained styles and three things by the held-out artist.

    python concepts.py STICKERS ARTIST OUT_DIR

The rules that pick them: every fifth subject of data/holdout.json, the nine styles taking turns; of the artist's stickers that
captions have a word for, every thirtieth, the first three. Each has four pictures to teach and one left out, all plain: the sticker
on five different plain grounds, so the training's templates are true of them.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from world import scene
from world.backgrounds import Backgrounds
from world.stickers import Stickers
from world.subjects import SUBJECTS

GROUPS = {
    'animal': 'elephant koala scorpion flamingo', 'fruit': 'pineapple', 'food': 'pizza birthday-cake', 'vehicle': 'helicopter',
    'instrument': 'violin', 'clothing': 'top-hat', 'tool': 'hammer',
}
CATEGORY = {name: category for category, names in GROUPS.items() for name in names.split()}
CREDIT = {
    'flat': 'Twemoji, CC BY 4.0, placed on plain grounds', 'glossy': 'Noto Emoji, Apache-2.0',
    '3d': 'Fluent Emoji, MIT', 'cartoon': 'EmojiOne 2, CC BY 4.0, placed on plain grounds',
    'retro': 'Noto Emoji (first design), Apache-2.0', 'poster': 'Fluent Emoji Flat, MIT',
    'outline': 'Fluent Emoji High Contrast, MIT',
    'stencil': 'EmojiOne 2 Monotone, CC BY 4.0, placed on plain grounds',
    'storybook': 'FxEmojis, CC BY 4.0, placed on plain grounds',
    'inked': 'Streamline Emojis, CC BY 4.0, placed on plain grounds',
}
GROUNDS = ['white', 'blue', 'yellow', 'gray', 'green']
COUNT = 12
ARTIST_STEP, ARTIST_COUNT = 30, 3
# Those that ship taught as well (npm run teach-samples), and what they are seen doing.
TAUGHT = {
    'koala': 'A photo of {} in the jungle',
    'pineapple': 'A photo of {} on a beach',
    'birthday-cake': 'A photo of {} in the jungle',
    'flamingo': 'A photo of {} on a beach',
    'hammer': 'A photo of {} in the snow',
    'elephant': 'A photo of {} in the jungle',
    'helicopter': 'A photo of {} in the desert',
    'inked-daisy': 'A photo of {} in a meadow',
}


def described(sticker, ground, i, rng):
    """Description of the i-th picture of a concept: the sticker on a plain ground."""
    return {'sticker': sticker, 'count': 1, 'place': None, 'colour': ground, 'tint': None, 'treatment': None, 'light': None,
            'size': None, 'position': None, 'flip': i % 2 == 1, 'angle': float(rng.normal(0, 3))}


def write(out, facts, stickers, sticker, seed):
    """One concept's folder: four pictures, one left out, concept.json."""
    folder, rng = Path(out) / facts['name'].replace(' ', '-'), np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    backgrounds = Backgrounds(variants=1)
    for i, ground in enumerate(GROUNDS):
        d = described(sticker, ground, i, rng)
        name = f'{i + 1}.png' if i < 4 else 'left-out.png'
        Image.fromarray(scene.draw(stickers, backgrounds, d, rng)).save(folder / name, optimize=True)
    credit = CREDIT[facts['style']]
    taught = {'prompt': TAUGHT[folder.name]} if folder.name in TAUGHT else {}
    facts = {**facts, 'licence': credit.split(', ')[1], 'credit': credit, **taught}
    (folder / 'concept.json').write_text(json.dumps(facts, indent=1) + '\n')
    print(facts['name'], facts['style'], facts['category'])


def write_subjects(stickers, out):
    """The concepts of held-out subjects."""
    subjects = json.loads((Path(__file__).parent / 'data/holdout.json').read_text())['subjects'][::5][:COUNT]
    by_key = {(stickers.rows[i]['hex'], stickers.rows[i]['style']): i for i in stickers.held_out}
    for n, subject in enumerate(subjects):
        turn = n % len(scene.STYLES)
        style = next(s for s in scene.STYLES[turn:] + scene.STYLES[:turn] if (subject['hex'], s) in by_key)
        category = CATEGORY.get(subject['name'].replace(' ', '-'), 'object')
        facts = {'name': subject['name'], 'category': category, 'kind': 'object', 'style': style, 'subject': subject['hex']}
        write(out, facts, stickers, by_key[subject['hex'], style], n)


def write_artist(artist, out):
    """The concepts of the held-out artist."""
    known = [i for i, row in enumerate(artist.rows) if row['hex'] in SUBJECTS]
    for n, sticker in enumerate(known[ARTIST_STEP - 1::ARTIST_STEP][:ARTIST_COUNT]):
        code = artist.rows[sticker]['hex']
        word, category, _ = SUBJECTS[code]
        facts = {'name': f'inked {word}', 'category': category, 'kind': 'object', 'style': 'inked', 'subject': code}
        write(out, facts, artist, sticker, COUNT + n)


def main(folder, artist, out):
    write_subjects(Stickers(folder), out)
    write_artist(Stickers(artist), out)


if __name__ == '__main__':
    main(*sys.argv[1:4])
