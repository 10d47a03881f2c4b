"""The world's treatments: what a scene looks like as a drawing, a painting or a thing made of something.

`SURFACES` change a whole composed picture: `(picture, rng) -> picture`. `OBJECTS` make something of the placed sticker alone and
bring their own background: `(rgb, alpha, rng) -> picture`. Pictures are float32 [128,128,3], alpha [128,128,1], in 0..1.
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from world import places
from world.canvas import SIDE, Canvas, shade

Y, X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def to_image(picture):
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def to_floats(image):
    return np.asarray(image, np.float32) / 255


def grey(picture):
    return picture @ LUMA


def edges(values, radius=1.5):
    """How much each value differs from its surroundings, 0..1."""
    image = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    return np.abs(values - to_floats(image.filter(ImageFilter.GaussianBlur(radius))))


def over(picture, rgb, alpha):
    return picture * (1 - alpha) + np.asarray(rgb, np.float32) * alpha


def grown(alpha, pixels):
    """Alpha [128,128,1] widened by so many pixels."""
    image = Image.fromarray((alpha[..., 0] * 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(2 * pixels + 1))
    return to_floats(image)[..., None]


def pencil(picture, rng):
    light, line = grey(picture), np.clip(1 - 7 * edges(grey(picture)), 0.1, 1)
    hatch = 0.93 + 0.07 * np.sin(160 * (X + Y)) * (light < 0.6)
    return np.repeat((0.97 * line * hatch * (0.78 + 0.22 * light))[..., None], 3, 2)


def manga(picture, rng):
    light = grey(picture)
    dots = 0.5 + 0.5 * np.sin(2 * np.pi * X * SIDE / 4) * np.sin(2 * np.pi * Y * SIDE / 4)
    tone = np.where(light < 0.22, 0.04, np.where(light < 0.62, np.where(dots > 0.3 + 0.5 * light, 0.1, 1.0), 1.0))
    return np.repeat(np.where(edges(light, 2) > 0.07, 0.02, tone)[..., None].astype(np.float32), 3, 2)


def strokes(picture, rng, count, length, width, jitter, angle):
    """Repaints a picture with short lines of its own colours, slightly off."""
    image = to_image(picture).filter(ImageFilter.GaussianBlur(1))
    canvas, pixels = image.copy(), np.asarray(image)
    pen, at = ImageDraw.Draw(canvas), rng.integers(0, SIDE, (count, 2))
    turns, changes = angle + rng.normal(0, 0.5, count), rng.normal(0, jitter, (count, 3))
    for (x, y), turn, change in zip(at, turns, changes):
        rgb = tuple(int(v) for v in np.clip(pixels[y, x] + change, 0, 255))
        dx, dy = length * np.cos(turn) / 2, length * np.sin(turn) / 2
        pen.line([x - dx, y - dy, x + dx, y + dy], rgb, width)
    return to_floats(canvas)


def oil(picture, rng):
    """Thick strokes whose relief catches the light."""
    painted = strokes(np.clip(0.5 + 1.15 * (picture - 0.5), 0, 1), rng, 2600, 8, 3, 10, rng.uniform(0, 3))
    relief = np.roll(grey(painted), (1, 1), (0, 1)) - grey(painted)
    return painted + 0.5 * relief[..., None]


def monet(picture, rng):
    """Small pale dabs, horizontal, in broken colour."""
    pale = 0.82 * picture + 0.18 * np.array([0.86, 0.86, 0.96], np.float32)
    return strokes(pale, rng, 3800, 5, 2, 24, 0.1)


def chagall(picture, rng):
    """Floating forms in deep blues with glowing colour."""
    bent = picture[(np.clip(Y + 0.02 * np.sin(9 * X), 0, 0.999) * SIDE).astype(int),
                   (np.clip(X + 0.03 * np.sin(8 * Y + rng.uniform(0, 6)), 0, 0.999) * SIDE).astype(int)]
    vivid = np.clip(grey(bent)[..., None] + 1.5 * (bent - grey(bent)[..., None]), 0, 1)
    blue = np.array([0.16, 0.24, 0.62], np.float32) * (0.45 + 0.75 * grey(bent)[..., None])
    glow = 0.5 + 0.5 * np.sin(5 * (X * np.cos(2.2) + Y * np.sin(2.2)) + rng.uniform(0, 6))
    mixed = 0.52 * vivid + 0.48 * (blue + 0.16 * glow[..., None] * np.array([0.9, 0.3, 0.5], np.float32))
    return strokes(mixed, rng, 1200, 9, 2, 14, rng.uniform(0, 3))


def watercolor(picture, rng):
    """Washed patches that darken at their rims, on paper."""
    wash = to_floats(to_image(picture).filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(0.9)))
    grain = to_floats(Image.fromarray(rng.integers(0, 255, (32, 32), np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    rim = edges(grey(wash), 1.2)[..., None]
    vignette = np.clip(6 * np.minimum(np.minimum(X, 1 - X), np.minimum(Y, 1 - Y)), 0, 1)[..., None]
    paper = np.array([0.98, 0.965, 0.91], np.float32)
    painted = paper * (0.2 + 0.8 * wash) * (0.93 + 0.12 * grain[..., None]) - 0.8 * rim
    return paper * (1 - vignette) + painted * vignette


def pixel_art(picture, rng):
    """Big square pixels of few colours."""
    few = to_image(picture).resize((26, 26), Image.Resampling.BOX).quantize(20).convert('RGB')
    return to_floats(few.resize((SIDE, SIDE), Image.Resampling.NEAREST))


def silhouette(rgb, alpha, rng):
    ground = [(248, 248, 248), (250, 214, 120), (240, 150, 110), (150, 200, 240)][rng.integers(4)]
    return over(np.full((SIDE, SIDE, 3), np.array(ground) / 255, np.float32), 0.05, alpha)


def app_icon(rgb, alpha, rng):
    """On a rounded tile with a gradient."""
    c = Canvas((244, 244, 247))
    tile = [(88, 140, 240), (240, 110, 120), (100, 200, 150), (250, 180, 80), (150, 110, 220)][rng.integers(5)]
    c.box(0.075, 0.085, 0.945, 0.955, (206, 206, 214), 0.2)
    c.blur(0.012)
    c.box(0.06, 0.06, 0.94, 0.94, tile, 0.2)
    c.box(0.06, 0.06, 0.94, 0.5, shade(tile, 1.16), 0.2)
    c.box(0.06, 0.3, 0.94, 0.52, tile)
    return over(over(c.pixels(), np.array(shade(tile, 0.7)) / 255, 0.5 * np.roll(alpha, 3, 0)), rgb, alpha)


def graffiti(rgb, alpha, rng):
    """Sprayed on bricks: loud flat colours in a white and a black outline."""
    c = Canvas()
    places.bricks(c, rng, [(176, 88, 66), (150, 140, 134), (120, 84, 74)][rng.integers(3)], (200, 188, 178))
    wall, loud = c.pixels(), [(255, 60, 150), (60, 220, 230), (255, 225, 50), (120, 240, 80), (170, 80, 255)]
    for _ in range(5):
        spot = np.exp(-(((X - rng.uniform(0, 1)) / 0.2) ** 2 + ((Y - rng.uniform(0, 1)) / 0.16) ** 2))
        wall = over(wall, np.array(loud[rng.integers(5)]) / 255, (0.75 * spot)[..., None])
    vivid = np.round(np.clip(grey(rgb)[..., None] + 1.9 * (rgb - grey(rgb)[..., None]), 0, 1) * 4) / 4
    picture = over(over(wall, 0.98, grown(alpha, 5)), 0.06, grown(alpha, 2))
    return over(picture, vivid, alpha) * (0.94 + 0.08 * rng.random((SIDE, SIDE, 1), np.float32))


def relief(rgb, alpha, low, high, grain, rng):
    """The sticker in one material: its light and dark between two colours, lit from the upper left."""
    light = grey(rgb) * 0.7 + 0.3 * alpha[..., 0]
    lit = np.clip(0.15 + 0.75 * light + 2.2 * (light - np.roll(light, (2, 2), (0, 1))), 0, 1)[..., None]
    low, high = np.array(low, np.float32) / 255, np.array(high, np.float32) / 255
    return np.clip(low + (high - low) * lit + grain * rng.normal(size=(SIDE, SIDE, 1)).astype(np.float32), 0, 1)


def statue(rgb, alpha, rng):
    """Grey stone on a plinth, under an open sky."""
    c = Canvas()
    c.gradient((150, 200, 244), (226, 238, 248), 0, 0.8)
    c.gradient((132, 176, 104), (104, 150, 84), 0.8, 1)
    c.box(0.2, 0.86, 0.8, 1, (150, 150, 148))
    c.box(0.15, 0.81, 0.85, 0.87, (178, 178, 174))
    return over(c.pixels(), relief(rgb, alpha, (70, 72, 74), (222, 222, 218), 0.03, rng), alpha)


def sand_sculpture(rgb, alpha, rng):
    """Wet sand on a heap, at the beach."""
    c = Canvas()
    c.gradient((110, 190, 246), (214, 236, 250), 0, 0.34)
    c.gradient((40, 140, 200), (84, 190, 214), 0.34, 0.5)
    c.gradient((240, 218, 164), (222, 192, 130), 0.5, 1)
    c.disc(0.5, 0.98, 0.16, (206, 172, 112), 2.8)
    return over(c.pixels(), relief(rgb, alpha, (116, 84, 42), (238, 208, 144), 0.05, rng), alpha)


def neon_sign(rgb, alpha, rng):
    """Glowing tubes along the outlines, on a dark wall."""
    c = Canvas()
    places.bricks(c, rng, (44, 36, 52), (28, 24, 36))
    outline = np.clip(14 * edges(alpha[..., 0], 1.2) + 7 * edges(grey(rgb) * alpha[..., 0], 1.2) * alpha[..., 0], 0, 1)
    colours = [(255, 60, 170), (60, 230, 255), (255, 190, 60), (130, 255, 110)]
    first, second = (np.array(colours[i], np.float32) / 255 for i in rng.permutation(4)[:2])
    hue = first + (second - first) * np.clip(1.6 * (Y - 0.2), 0, 1)[..., None]
    glow = to_floats(Image.fromarray((outline * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(5)))
    return c.pixels() + 0.95 * glow[..., None] * hue * 1.6 + outline[..., None] * (0.55 * hue + 0.45)


SURFACES = {'pencil': pencil, 'oil': oil, 'watercolor': watercolor, 'monet': monet, 'chagall': chagall, 'manga': manga,
            'pixel art': pixel_art}
OBJECTS = {'silhouette': silhouette, 'app icon': app_icon, 'graffiti': graffiti, 'statue': statue,
           'sand sculpture': sand_sculpture, 'neon sign': neon_sign}
TREATMENTS = [*SURFACES, *OBJECTS]
