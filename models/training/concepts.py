"""Draws the sample concepts: twelve held-out subjects in trained styles and three things by the held-out artist.

    python concepts.py STICKERS ARTIST OUT_DIR

The rules that pick them: every fifth subject of data/holdout.json, the styles taking turns; every thirtieth of the artist's
stickers that captions have a word for. Each has four pictures to teach and one left out, all plain: the sticker large on five different
plain grounds, so the training's templates are true of them.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import world
from stickers import Stickers
from subjects import SUBJECTS

GROUPS = {
    'animal': 'elephant koala scorpion flamingo', 'fruit': 'pineapple strawberry avocado', 'vegetable': 'eggplant carrot',
    'food': 'pizza doughnut cupcake pretzel birthday-cake', 'vehicle': 'rocket helicopter sailboat tractor bicycle',
    'building': 'castle', 'plant': 'cactus hibiscus', 'clothing': 'top-hat', 'tool': 'hammer',
}
CATEGORY = {name: category for category, names in GROUPS.items() for name in names.split()}
CREDIT = {
    'flat': 'Twemoji, CC BY 4.0, placed on plain grounds', 'glossy': 'Noto Emoji, Apache-2.0',
    '3d': 'Fluent Emoji, MIT', 'cartoon': 'EmojiOne 2, CC BY 4.0, placed on plain grounds',
    'inked': 'Streamline Emojis, CC BY 4.0, placed on plain grounds',
}
GROUNDS = ['white', 'blue', 'yellow', 'gray', 'green']
COUNT = 12
ARTIST_STEP = 30


# Those that ship taught as well (npm run teach-samples), and what they are seen doing.
TAUGHT = {
    'koala': 'A photo of {} in the jungle',
    'pineapple': 'A photo of {} on a beach',
    'inked-taxi': 'A photo of {} on a beach',
    'birthday-cake': 'A photo of {} in the jungle',
    'flamingo': 'A photo of {} on a beach',
    'hammer': 'A photo of {} in the snow',
    'inked-sunflower': 'A photo of {} in a meadow',
    'elephant': 'A photo of {} in the jungle',
}


def described(sticker, ground, i, rng):
    """Description of the i-th picture: the sticker large on a plain ground."""
    return {'sticker': sticker, 'place': None, 'colour': ground, 'tint': None, 'treatment': None, 'light': None,
            'size': float(rng.uniform(0.74, 0.86)), 'flip': i % 2 == 1, 'angle': float(rng.normal(0, 3))}


def write(out, facts, stickers, sticker, seed):
    """One concept's folder: four pictures, one left out, concept.json."""
    folder, rng = Path(out) / facts['name'].replace(' ', '-'), np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    backgrounds = world.Backgrounds(variants=1)
    for i, ground in enumerate(GROUNDS):
        d = described(sticker, ground, i, rng)
        name = f'{i + 1}.png' if i < 4 else 'left-out.png'
        Image.fromarray(world.draw(stickers, backgrounds, d, rng)).save(folder / name)
    credit = CREDIT[facts['style']]
    taught = {'prompt': TAUGHT[folder.name]} if folder.name in TAUGHT else {}
    facts = {**facts, 'licence': credit.split(', ')[1], 'credit': credit, **taught}
    (folder / 'concept.json').write_text(json.dumps(facts, indent=1) + '\n')
    print(facts['name'], facts['style'], facts['category'])


def write_subjects(stickers, out):
    """The concepts of held-out subjects."""
    subjects = json.loads((Path(__file__).parent / 'data/holdout.json').read_text())['subjects'][::5][:COUNT]
    by_key = {(r['hex'], r['style']): i for i, r in enumerate(stickers.rows) if r['heldOut']}
    for n, subject in enumerate(subjects):
        styles = world.STYLES[n % 4:] + world.STYLES[:n % 4]
        style = next(s for s in styles if (subject['hex'], s) in by_key)
        category = CATEGORY.get(subject['name'].replace(' ', '-'), 'object')
        facts = {'name': subject['name'], 'category': category, 'kind': 'object', 'style': style, 'subject': subject['hex']}
        write(out, facts, stickers, by_key[subject['hex'], style], n)


def write_artist(artist, out):
    """The concepts of the held-out artist."""
    known = [i for i, row in enumerate(artist.rows) if row['hex'] in SUBJECTS][ARTIST_STEP - 1::ARTIST_STEP]
    for n, sticker in enumerate(known):
        code = artist.rows[sticker]['hex']
        word, category = SUBJECTS[code]
        facts = {'name': f'inked {word}', 'category': category, 'kind': 'object', 'style': 'inked', 'subject': code}
        write(out, facts, artist, sticker, COUNT + n)


def main(folder, artist, out):
    write_subjects(Stickers(folder, SUBJECTS), out)
    write_artist(Stickers(artist, SUBJECTS), out)


if __name__ == '__main__':
    main(*sys.argv[1:4])
