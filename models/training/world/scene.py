"""Composes the world's pictures: one to three stickers of a kind in a place or on a plain ground, perhaps treated.

A picture is described first (`describe`: a plain dictionary of choices), then drawn (`draw`), so captions can be true
of it and concepts can be drawn from chosen descriptions. Everything comes from one numpy generator: a seed fixes it.
"""
import hashlib

import numpy as np
from PIL import Image

from world import places, treatments
from world.canvas import SIDE
from world.stickers import tinted
from world.subjects import SUBJECTS

STYLES = ['flat', 'glossy', '3d', 'cartoon', 'retro', 'poster', 'outline', 'stencil', 'storybook']
PLACE_NAMES, COLOUR_NAMES, TREATMENTS = list(places.PLACES), list(places.COLOURS), treatments.TREATMENTS
TINTS = {'red': (226, 50, 44), 'blue': (60, 110, 235), 'green': (60, 180, 70), 'yellow': (250, 214, 50),
         'purple': (150, 80, 210), 'pink': (250, 130, 180), 'golden': (232, 176, 40), 'gray': (150, 150, 155)}
# Black artwork: it has no colours to change, and on dark grounds it is lost.
BLACK_STYLES = {'outline', 'stencil'}
DARK_COLOURS = {'black', 'navy'}
# Share of subject-place pairs that training never shows, to measure composition on.
HELD_OUT_PAIRS = 0.05
# Sides of a sticker as fractions of the picture's, by what one may say of it; between them one says nothing.
SIZES = {'small': (0.3, 0.42), 'large': (0.88, 0.96), 'close': (1.12, 1.3), None: (0.62, 0.82)}


def pick(rng, items):
    return items[rng.integers(len(items))]


def is_held_out(hexcode, place):
    """Whether training never shows this subject in this place; a hash decides, so nobody chose."""
    digest = hashlib.sha256(f'{hexcode} {place}'.encode()).digest()
    return int.from_bytes(digest[:4], 'big') < HELD_OUT_PAIRS * 2 ** 32


def held_out_pairs():
    """Every (code point, place) that training never shows."""
    return [(code, place) for code in SUBJECTS for place in PLACE_NAMES if is_held_out(code, place)]


def places_of(row):
    """Places in which training shows the subject of `row`."""
    return [place for place in PLACE_NAMES if not is_held_out(row['hex'], place)]


def colours_of(row):
    """Plain grounds before which a sticker can be seen."""
    return [name for name in COLOUR_NAMES if not (row['style'] in BLACK_STYLES and name in DARK_COLOURS)]


def treatments_of(row):
    """Treatments that leave something of a sticker to see."""
    return [name for name in TREATMENTS if name != 'silhouette' or not row['plain']]


def describe(rng, sticker, row):
    """Random choices for one picture of `row`'s sticker; pairs that are held out never occur.

    Keys: sticker, count, place, colour, tint, treatment, light, size, position, flip, angle. Size, position and count vary
    on untreated pictures alone; what a treatment makes of the thing alone has neither place nor colour.
    """
    d = {'sticker': sticker, 'count': 1, 'place': None, 'colour': None, 'tint': None, 'treatment': None, 'light': None,
         'size': None, 'position': None, 'flip': bool(rng.random() < 0.5), 'angle': float(rng.normal(0, 4))}
    if rng.random() < 0.34:
        d['treatment'] = pick(rng, treatments_of(row))
    if d['treatment'] not in treatments.OBJECTS:
        if rng.random() < 0.55:
            d['place'] = pick(rng, places_of(row))
        else:
            d['colour'] = 'white' if rng.random() < 0.3 else pick(rng, colours_of(row))
    if d['treatment'] is None:
        arrange(rng, d, row['style'] in BLACK_STYLES)
    return d


def arrange(rng, d, black):
    """Count, size, position, tint and light of an untreated picture; each is mostly left alone."""
    if rng.random() < 0.1 and not black:
        d['tint'] = pick(rng, list(TINTS))
    if rng.random() < 0.06:
        d['light'] = 'bright' if black else pick(rng, ['dark', 'bright'])
    kind = rng.random()
    if kind < 0.2:
        d['count'] = int(rng.integers(2, 4))
    elif kind < 0.35:
        d['size'] = pick(rng, ['small', 'large', 'close'])
    elif kind < 0.47:
        d['position'] = pick(rng, ['left', 'right'])


def spots(rng, d):
    """[(side, centre x)] of each sticker, as fractions of the picture's side."""
    if d['count'] == 1:
        low, high = (0.36, 0.46) if d['position'] else SIZES[d['size']]
        side = rng.uniform(low, high)
        centre = {'left': 0.25, 'right': 0.75}.get(d['position'], 0.5)
        slack = 0.03 if d['position'] else 0.3 * max(0, 1 - side)
        return [(side, centre + rng.uniform(-slack, slack))]
    side = rng.uniform(0.42, 0.48) if d['count'] == 2 else rng.uniform(0.29, 0.32)
    return [(side, (k + 0.5) / d['count'] + rng.uniform(-0.01, 0.01)) for k in range(d['count'])]


def placed(image, d, rng, ground):
    """The stickers turned, mirrored, scaled: premultiplied-free RGBA [128,128,4], and [(left, side)] in pixels."""
    if d['flip']:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    canvas, boxes, rise = Image.new('RGBA', (SIDE, SIDE)), [], rng.uniform(-0.2, 0.2)
    for side, centre in spots(rng, d):
        pixels = round(side * SIDE)
        turned = image.rotate(d['angle'] + rng.normal(0, 2) * (d['count'] > 1), Image.Resampling.BICUBIC)
        small = turned.resize((pixels, pixels), Image.Resampling.BOX if pixels < 60 else Image.Resampling.BICUBIC)
        middle = 0.5 + rise * max(0, 1 - side)
        foot = ground if ground and d['place'] else min(middle + side / 2, 1)
        left, top = round((centre - side / 2) * SIDE), round(min(foot * SIDE + rng.integers(0, 4), SIDE) - pixels)
        canvas.alpha_composite(small, (max(left, 0), max(top, 0)), (max(-left, 0), max(-top, 0)))
        boxes.append((left, pixels))
    return np.asarray(canvas), boxes


def shadowed(picture, alpha, boxes):
    """Soft elliptic shadows under each sticker's lowest row."""
    for left, side in boxes:
        columns = alpha[:, max(left, 0):max(left + side, 1)]
        rows = np.flatnonzero(columns.max(1) > 0.3)
        if side >= SIDE or not len(rows):
            continue
        across = (treatments.X * SIDE - left - side / 2) / (0.36 * side)
        down = (treatments.Y * SIDE - rows[-1]) / 4.4
        picture = picture * (1 - 0.35 * np.exp(-(across ** 2 + down ** 2) ** 2))[..., None]
    return picture


def draw(stickers, backgrounds, d, rng):
    """Draws a description; returns uint8 [128,128,3]."""
    own_ground = d['treatment'] in treatments.OBJECTS
    picture, ground = (None, 0.86) if own_ground else backgrounds.pick(rng, d['place'], d['colour'])
    posed = {**d, 'place': True} if d['treatment'] in ('statue', 'sand sculpture') else d
    canvas, boxes = placed(stickers.image(d['sticker']), posed, rng, ground)
    if d['tint']:
        canvas = tinted(canvas.copy(), TINTS[d['tint']])
    rgb, alpha = canvas[..., :3].astype(np.float32) / 255, canvas[..., 3:].astype(np.float32) / 255
    if own_ground:
        picture = treatments.OBJECTS[d['treatment']](rgb, alpha, rng)
    else:
        floats = d['place'] in ('night sky', 'sea')
        picture = treatments.over(picture if floats else shadowed(picture, alpha[..., 0], boxes), rgb, alpha)
    if d['treatment'] in treatments.SURFACES:
        picture = treatments.SURFACES[d['treatment']](picture, rng)
    if d['light']:
        picture = picture * 0.4 if d['light'] == 'dark' else picture * 0.7 + 0.38
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
