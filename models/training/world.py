"""Composes the world's pictures: one sticker in a place or on a plain ground, sometimes tinted or treated.

A picture is described first (`describe`: a plain dictionary of choices), then drawn (`draw`), so captions can be true
of it and concepts can be drawn from chosen descriptions. Everything comes from one numpy generator: a seed fixes it.
"""
from functools import partial

import numpy as np
from PIL import Image, ImageFilter

import backgrounds as stock
import places
from stickers import tinted

S = places.S
STYLES = ['flat', 'glossy', '3d', 'cartoon']
TINTS = {'red': (226, 50, 44), 'blue': (60, 110, 235), 'green': (60, 180, 70), 'yellow': (250, 214, 50),
         'purple': (150, 80, 210), 'pink': (250, 130, 180), 'golden': (232, 176, 40), 'gray': (150, 150, 155)}
TREATMENTS = ['silhouette', 'pencil', 'watercolor']
PLACE_NAMES, COLOUR_NAMES = list(places.PLACES), list(places.COLOURS)
Backgrounds = partial(stock.Backgrounds, places)


def describe(rng, sticker, _row=None):
    """Random choices for one picture: place or colour, tint, treatment, light, size (share of the height)."""
    d = {'sticker': int(sticker), 'place': None, 'colour': None, 'tint': None, 'treatment': None, 'light': None}
    kind = rng.random()
    if kind < 0.12:
        d['treatment'] = TREATMENTS[rng.integers(3)]
    if d['treatment'] is None and rng.random() < 0.5:
        d['place'] = PLACE_NAMES[rng.integers(len(PLACE_NAMES))]
    elif d['treatment'] in (None, 'silhouette'):
        d['colour'] = 'white' if rng.random() < 0.35 else COLOUR_NAMES[rng.integers(len(COLOUR_NAMES))]
        if d['treatment'] == 'silhouette' and d['colour'] in ('black', 'purple', 'gray'):
            d['colour'] = 'white'
    else:
        d['colour'] = 'white'
    if d['treatment'] is None and rng.random() < 0.10:
        d['tint'] = list(TINTS)[rng.integers(len(TINTS))]
    if d['treatment'] is None and rng.random() < 0.06:
        d['light'] = ['dark', 'bright'][rng.integers(2)]
    band = rng.random()
    d['size'] = float(rng.uniform(0.48, 0.56) if band < 0.04 else rng.uniform(0.9, 0.96) if band < 0.08
                      else rng.uniform(1.1, 1.25) if band < 0.11 else rng.uniform(0.72, 0.86))
    d['flip'] = bool(rng.random() < 0.5)
    d['angle'] = float(rng.normal(0, 4))
    return d


def placed(image, d, rng, ground):
    """The sticker turned, mirrored and scaled, as premultiplied float [64,64,4], and the box it covers."""
    if d['flip']:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(d['angle'], Image.Resampling.BICUBIC)
    side = int(round(d['size'] * S))
    image = image.resize((side, side), Image.Resampling.BOX if side < 40 else Image.Resampling.BICUBIC)
    slack = max(S - side, 0)
    x = int(round((S - side) / 2 + rng.uniform(-0.3, 0.3) * slack))
    y = int(min(ground - side + rng.integers(0, 4), S - side)) if d['place'] and side < S else \
        int(round((S - side) / 2 + rng.uniform(-0.25, 0.25) * slack))
    canvas = Image.new('RGBA', (S, S))
    canvas.paste(image, (x, y))
    return np.asarray(canvas), (x, y, side)


def shadowed(picture, alpha, covered):
    """A soft elliptic shadow under the sticker's lowest row."""
    rows = np.flatnonzero(alpha.max(1) > 0.3)
    if not len(rows) or covered[2] >= S:
        return picture
    foot, centre, wide = rows[-1], covered[0] + covered[2] / 2, covered[2] * 0.36
    dark = 0.35 * np.exp(-(((places.X - centre) / wide) ** 2 + ((places.Y - foot) / 2.2) ** 2) ** 2)
    return picture * (1 - dark[..., None])


def treat(name, rgb, alpha, picture):
    """Silhouette, pencil drawing or watercolor of the placed sticker (rgb 0..1, alpha [64,64,1])."""
    if name == 'silhouette':
        return picture * (1 - alpha) + 0.07 * alpha
    whole = rgb * alpha + (1 - alpha)
    image = Image.fromarray((whole * 255).astype(np.uint8))
    if name == 'pencil':
        grey = np.asarray(image.convert('L'), np.float32)
        soft = np.asarray(image.convert('L').filter(ImageFilter.GaussianBlur(1.6)), np.float32)
        line = np.clip(1 - np.abs(grey - soft) / 46, 0.12, 1)
        return np.repeat((0.96 * line * (0.82 + 0.18 * grey / 255))[..., None], 3, 2)
    wash = np.asarray(image.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(1.1)), np.float32) / 255
    paper = places.colour(250, 246, 232)
    return paper * (0.22 + 0.78 * wash)


def draw(stickers, backgrounds, d, rng):
    """Draws a description; returns uint8 [64,64,3]."""
    picture, ground = backgrounds.pick(rng, d['place'], d['colour'])
    canvas, covered = placed(stickers.image(d['sticker']), d, rng, ground)
    if d['tint']:
        canvas = tinted(canvas.copy(), TINTS[d['tint']])
    alpha = canvas[..., 3:].astype(np.float32) / 255
    rgb = canvas[..., :3].astype(np.float32) / 255
    if d['treatment']:
        picture = treat(d['treatment'], rgb, alpha, picture)
    else:
        picture = shadowed(picture, alpha[..., 0], covered)
        picture = picture * (1 - alpha) + rgb * alpha
    if d['light']:
        picture = picture * 0.45 if d['light'] == 'dark' else picture * 0.72 + 0.36
    return (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
