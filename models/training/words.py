"""Writes words.json: what the base model knows, for the page's suggestions, its marks on unknown words, and the trainer.

    python words.py OUT_FILE
"""
import json
import sys
from pathlib import Path

from captions import OBJECT_TEMPLATES, TRUE_STYLE_TEMPLATES
from extent import CATEGORIES, captions, world

SUGGESTIONS = [
    'A photo of {} on a beach', 'A photo of {} in the jungle', 'A photo of {} in the moon', 'A photo of {} in the snow',
    'A photo of {} in Times Square', 'A photo of {} under the sea', 'A photo of {} in a meadow',
    'A photo of {} on a city street', 'A watercolor painting of {}', 'A manga drawing of {}', 'A silhouette of {}',
    'A photo of {} on a blue background', 'A photo of {} in 3d style',
]


def main(out):
    words = {
        'words': captions.ALL_WORDS,
        'categories': ['object'] + [c for c in CATEGORIES if c != 'object'],
        'places': [{'phrase': phrases[0]} for phrases in captions.PLACE_PHRASES.values()],
        'styles': world.STYLES,
        'colours': sorted(set(world.TINTS) | set(world.COLOUR_NAMES)),
        'suggestions': SUGGESTIONS,
        # A user's picture is not described, so training says only what claims nothing about it.
        'templates': {'object': OBJECT_TEMPLATES['any'], 'style': TRUE_STYLE_TEMPLATES},
    }
    Path(out).write_text(json.dumps(words, indent=1) + '\n')


if __name__ == '__main__':
    main(sys.argv[1])
