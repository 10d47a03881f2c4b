"""Draws the sample concepts: twelve held-out subjects in trained styles, four pictures to teach and one left out.

    python concepts.py STICKERS OUT_DIR

The rule that picks them: every fifth subject of data/holdout.json, the styles taking turns. Pictures are plain: the
sticker large on five different plain grounds, so the training's templates are true of them.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import world

GROUPS = {
    'animal': 'elephant koala scorpion flamingo', 'fruit': 'pineapple strawberry avocado', 'vegetable': 'eggplant carrot',
    'food': 'pizza doughnut cupcake pretzel birthday-cake', 'vehicle': 'rocket helicopter sailboat tractor bicycle',
    'building': 'castle', 'plant': 'cactus hibiscus', 'clothing': 'top-hat', 'tool': 'hammer',
}
CATEGORY = {name: category for category, names in GROUPS.items() for name in names.split()}
CREDIT = {
    'flat': 'Twemoji, CC BY 4.0, placed on plain grounds', 'glossy': 'Noto Emoji, Apache-2.0',
    '3d': 'Fluent Emoji, MIT', 'cartoon': 'EmojiOne 2, CC BY 4.0, placed on plain grounds',
}
GROUNDS = ['white', 'blue', 'yellow', 'gray', 'green']
COUNT = 12


def main(folder, out):
    stickers, backgrounds = world.Stickers(folder), world.Backgrounds(variants=1)
    subjects = json.loads((Path(__file__).parent / 'data/holdout.json').read_text())['subjects'][::5][:COUNT]
    by_key = {(r['hex'], r['style']): i for i, r in enumerate(stickers.rows) if r['heldOut']}
    for n, subject in enumerate(subjects):
        styles = world.STYLES[n % 4:] + world.STYLES[:n % 4]
        style = next(s for s in styles if (subject['hex'], s) in by_key)
        rng = np.random.default_rng(n)
        folder_name = Path(out) / subject['name'].replace(' ', '-')
        folder_name.mkdir(parents=True, exist_ok=True)
        for i, ground in enumerate(GROUNDS):
            d = {'sticker': by_key[subject['hex'], style], 'place': None, 'colour': ground, 'tint': None,
                 'treatment': None, 'light': None, 'size': float(rng.uniform(0.74, 0.86)), 'flip': i % 2 == 1,
                 'angle': float(rng.normal(0, 3))}
            name = f'{i + 1}.png' if i < 4 else 'left-out.png'
            Image.fromarray(world.draw(stickers, backgrounds, d, rng)).save(folder_name / name)
        facts = {'name': subject['name'], 'category': CATEGORY.get(folder_name.name, 'object'), 'kind': 'object',
                 'style': style, 'subject': subject['hex'], 'licence': CREDIT[style].split(', ')[1],
                 'credit': CREDIT[style]}
        (folder_name / 'concept.json').write_text(json.dumps(facts, indent=1) + '\n')
        print(subject['name'], style, facts['category'])


if __name__ == '__main__':
    main(*sys.argv[1:3])
