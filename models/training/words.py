"""Writes words.json: what the base model knows, for the page's suggestions, its marks on unknown words, and the trainer.

    python words.py OUT_FILE
"""
import json
import sys
from pathlib import Path

from world import captions, scene
from world.subjects import CATEGORIES

SUGGESTIONS = [
    'A photo of {} on a beach', 'A photo of {} in the jungle', 'A photo of {} in the moon', 'A photo of {} in the snow',
    'A photo of {} in Times Square', 'A photo of {} under the sea', 'A photo of {} in a meadow', 'A photo of {} on a city street',
    'A photo of {} in the forest', 'A photo of {} on a table', 'A photo of {} in the desert', 'A photo of {} in the mountains',
    'A photo of {} before a brick wall', 'A watercolor painting of {}', 'A manga drawing of {}', 'An oil painting of {}',
    'A painting of {} in the style of Monet', 'A Marc Chagall painting of {}', 'A pencil drawing of {}', 'Pixel art of {}',
    'A neon sign of {}', 'A silhouette of {}', 'App icon of {}', 'A statue of {}', 'A sand sculpture of {}',
    'Colorful graffiti of {}', 'A close-up photo of the {}', 'A photo of {} on the left', 'A photo of {} on a blue background',
]


def main(out):
    words = {
        'words': captions.ALL_WORDS,
        'categories': ['object'] + [c for c in CATEGORIES if c != 'object'],
        'places': [{'phrase': phrases[0]} for phrases in captions.PLACE_PHRASES.values()],
        'styles': scene.STYLES,
        'colours': sorted(set(scene.TINTS) | set(scene.COLOUR_NAMES)),
        'suggestions': SUGGESTIONS,
        # A user's picture is not described, so training says only what claims nothing about it.
        'templates': {'object': captions.OBJECT_TEMPLATES['any'], 'style': captions.TRUE_STYLE_TEMPLATES},
    }
    Path(out).write_text(json.dumps(words, indent=1) + '\n')


if __name__ == '__main__':
    main(sys.argv[1])
