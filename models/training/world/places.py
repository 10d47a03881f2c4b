"""The world's backgrounds: 14 places and 14 plain colours. `PLACES[name](rng)` gives (picture, ground line).

Pictures are float32 [128,128,3] in 0..1; feet stand on the ground line, a fraction of the height.
"""
import numpy as np

from world.canvas import SIDE, Canvas, shade

COLOURS = {'white': (246, 246, 248), 'black': (28, 28, 32), 'gray': (146, 146, 152), 'red': (214, 62, 56),
           'orange': (240, 146, 52), 'yellow': (248, 216, 84), 'green': (84, 176, 96), 'teal': (46, 158, 158),
           'blue': (72, 128, 224), 'navy': (34, 50, 110), 'purple': (140, 92, 196), 'pink': (246, 160, 190),
           'brown': (134, 94, 64), 'beige': (228, 208, 176)}


def clouds(c, rng, n):
    """Small heaps of discs in the upper third."""
    for _ in range(n):
        x, y, r = rng.uniform(0, 1), rng.uniform(0.05, 0.28), rng.uniform(0.025, 0.045)
        for dx in (-1.2, 0, 1.2):
            c.disc(x + dx * r, y - 0.4 * r * (dx == 0), r, (250, 252, 255), 1.3)


def beach(rng):
    c, sea, sand = Canvas(), rng.uniform(0.36, 0.46), rng.uniform(0.6, 0.68)
    c.gradient((96, 180, 246), (206, 234, 252), 0, sea)
    clouds(c, rng, 2)
    c.disc(rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.2), 0.07, (255, 234, 110))
    c.gradient((22, 116, 194), (70, 188, 216), sea, sand)
    c.gradient((240, 216, 158), (224, 190, 124), sand, 1)
    c.line([(x, sand + 0.008 * np.sin(12 * x + 3)) for x in np.linspace(0, 1, 30)], (246, 250, 250), 0.02)
    for _ in range(40):
        c.disc(rng.uniform(0, 1), rng.uniform(sand + 0.04, 1), 0.005, (206, 172, 108))
    return c.pixels(), 0.88


def jungle(rng):
    c = Canvas()
    c.gradient((20, 78, 40), (48, 128, 58))
    for _ in range(5):
        x, w = rng.uniform(0, 1), rng.uniform(0.03, 0.06)
        c.box(x, 0, x + w, 0.86, shade((88, 64, 42), rng.uniform(0.8, 1.2)))
    for _ in range(70):
        y = rng.uniform(0, 0.34) if rng.random() < 0.6 else rng.uniform(0.8, 1)
        leaf(c, rng.uniform(0, 1), y, rng.uniform(0.05, 0.1), rng.uniform(0, 6.3), shade((40, 146, 62), rng.uniform(0.55, 1.25)))
    return c.pixels(), 0.9


def leaf(c, x, y, r, angle, rgb):
    """A pointed leaf with a midrib."""
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    tips = [(-1, 0), (-0.4, 0.35), (0.3, 0.3), (1, 0), (0.3, -0.3), (-0.4, -0.35)]
    c.polygon([tuple(np.array([x, y]) + r * (a * along + b * across)) for a, b in tips], rgb)
    c.line([tuple(np.array([x, y]) - r * along), tuple(np.array([x, y]) + r * along)], shade(rgb, 0.75), 0.004)


def fir(c, x, foot, height, rgb):
    """A conifer of three tiers."""
    c.box(x - 0.012, foot - 0.1 * height, x + 0.012, foot + 0.02, (96, 70, 48))
    for k in range(3):
        y, w = foot - height * (0.08 + 0.28 * k), height * (0.3 - 0.07 * k)
        c.polygon([(x - w, y), (x + w, y), (x, y - 0.42 * height)], shade(rgb, 1 + 0.08 * k))


def forest(rng):
    c = Canvas()
    c.gradient((188, 216, 206), (150, 190, 160), 0, 0.7)
    c.gradient((92, 116, 62), (62, 84, 44), 0.7, 1)
    for row, (foot, height, light) in enumerate(((0.7, 0.55, 1.25), (0.76, 0.72, 0.95))):
        for x in np.arange(-0.05, 1.1, 0.14):
            fir(c, x + rng.uniform(-0.05, 0.05) + 0.07 * row, foot, height * rng.uniform(0.8, 1.1), shade((50, 104, 66), light))
    return c.pixels(), 0.9


def night_sky(rng):
    c = Canvas()
    c.gradient((8, 10, 40), (46, 40, 96))
    for _ in range(130):
        g = int(rng.uniform(150, 255))
        c.disc(rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.003, 0.009), (g, g, min(255, g + 20)))
    x, y = rng.uniform(0.12, 0.88), rng.uniform(0.1, 0.2)
    c.disc(x, y, 0.075, (246, 240, 206))
    c.disc(x + 0.035, y - 0.02, 0.065, (14, 15, 48))
    return c.pixels(), None


def moon(rng):
    c = Canvas()
    c.gradient((4, 4, 14), (14, 14, 32))
    for _ in range(60):
        c.disc(rng.uniform(0, 1), rng.uniform(0, 0.66), 0.004, (220, 220, 230))
    x, y = rng.uniform(0.14, 0.86), rng.uniform(0.1, 0.22)
    c.disc(x, y, 0.085, (48, 116, 212))
    for dx, dy, r in ((-0.03, 0.01, 0.035), (0.03, -0.03, 0.025), (0.03, 0.04, 0.02)):
        c.disc(x + dx, y + dy, r, (84, 172, 88), 1.3)
    c.gradient((168, 168, 172), (128, 128, 134), 0.68, 1)
    for _ in range(10):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0.74, 0.98), rng.uniform(0.012, 0.035)
        c.disc(cx, cy, r, (104, 104, 112), 2)
        c.disc(cx, cy + 0.3 * r, 0.8 * r, (142, 142, 148), 2)
    return c.pixels(), 0.88


def snow(rng):
    c = Canvas()
    c.gradient((164, 196, 232), (224, 238, 250), 0, 0.7)
    for x in np.arange(0, 1.1, 0.17):
        fir(c, x + rng.uniform(-0.06, 0.06), 0.7, rng.uniform(0.2, 0.34), (84, 132, 124))
    c.disc(rng.uniform(0.2, 0.8), 1.12, 0.46, (246, 249, 254), 3)
    c.gradient((244, 248, 254), (226, 234, 246), 0.74, 1)
    for _ in range(70):
        c.disc(rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.005, 0.012), (255, 255, 255))
    return c.pixels(), 0.9


def city(rng):
    c, x = Canvas(), -rng.uniform(0, 0.1)
    c.gradient((150, 198, 238), (220, 232, 242), 0, 0.82)
    while x < 1:
        w, top = rng.uniform(0.12, 0.2), rng.uniform(0.08, 0.45)
        c.box(x, top, x + w, 0.84, shade((150, 150, 160) if rng.random() < 0.6 else (178, 142, 112), rng.uniform(0.7, 1.1)))
        for wy in np.arange(top + 0.03, 0.78, 0.07):
            for wx in np.arange(x + 0.025, x + w - 0.03, 0.045):
                c.box(wx, wy, wx + 0.02, wy + 0.035, (252, 234, 160) if rng.random() < 0.45 else (84, 100, 126))
        x += w
    c.gradient((92, 94, 102), (70, 72, 80), 0.84, 1)
    for wx in np.arange(-rng.uniform(0, 0.15), 1, 0.2):
        c.box(wx, 0.945, wx + 0.1, 0.96, (240, 214, 90))
    return c.pixels(), 0.91


def times_square(rng):
    c = Canvas()
    c.gradient((20, 14, 44), (44, 32, 72))
    lights = [(255, 70, 90), (255, 170, 50), (255, 236, 90), (80, 230, 130), (70, 190, 255), (230, 90, 230), (245, 245, 250)]
    for side in (0, 1):
        for y in np.arange(rng.uniform(-0.1, 0), 0.78, 0.15):
            w, rgb = rng.uniform(0.22, 0.34), lights[rng.integers(len(lights))]
            x = 0.01 if side == 0 else 0.99 - w
            c.box(x, y, x + w, y + 0.12, rgb, 0.01)
            for k in range(3):
                c.box(x + 0.02, y + 0.02 + 0.033 * k, x + w * rng.uniform(0.4, 0.9), y + 0.035 + 0.033 * k, shade(rgb, 0.45))
    for x in np.arange(0.36, 0.64, 0.07):
        c.box(x, rng.uniform(0.2, 0.45), x + 0.06, 0.8, shade((70, 60, 104), rng.uniform(0.7, 1.2)))
    c.gradient((50, 46, 68), (30, 28, 44), 0.8, 1)
    for k in range(5):
        c.polygon([(0.2 * k, 1), (0.2 * k + 0.1, 1), (0.4 + 0.05 * k, 0.86), (0.36 + 0.05 * k, 0.86)], (222, 222, 230))
    return c.pixels(), 0.91


def desert(rng):
    c = Canvas()
    c.gradient((120, 190, 240), (250, 226, 180), 0, 0.6)
    c.disc(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.2), 0.065, (255, 246, 190))
    for k, y in enumerate((0.62, 0.7, 0.8)):
        phase, rgb = rng.uniform(0, 6), shade((236, 176, 96), 1.04 - 0.07 * k)
        ridge = [(x, y + 0.05 * np.sin(5 * x + phase)) for x in np.linspace(0, 1, 30)]
        c.polygon([(0, 1), *ridge, (1, 1)], rgb)
    for _ in range(2):
        x, foot, h = rng.uniform(0.05, 0.95), rng.uniform(0.64, 0.72), rng.uniform(0.1, 0.16)
        c.line([(x, foot), (x, foot - h)], (70, 130, 70), 0.03)
        c.line([(x - 0.05, foot - 0.75 * h), (x - 0.05, foot - 0.5 * h), (x, foot - 0.4 * h)], (70, 130, 70), 0.02)
    return c.pixels(), 0.9


def sea(rng):
    c = Canvas()
    c.gradient((70, 186, 226), (10, 62, 126))
    for _ in range(5):
        x, w = rng.uniform(0, 1), rng.uniform(0.03, 0.08)
        c.polygon([(x, 0), (x + w, 0), (x + w - 0.16, 0.9), (x - 0.24, 0.9)], (84, 184, 220))
    c.blur(0.02)
    c.gradient((214, 196, 140), (180, 158, 104), 0.9, 1)
    for _ in range(8):
        x, h, phase = rng.uniform(0, 1), rng.uniform(0.1, 0.26), rng.uniform(0, 6)
        c.line([(x + 0.015 * np.sin(20 * t + phase), 0.92 - h * t) for t in np.linspace(0, 1, 12)], (36, 146, 92), 0.02)
    for _ in range(16):
        c.disc(rng.uniform(0, 1), rng.uniform(0.02, 0.8), rng.uniform(0.006, 0.018), (196, 236, 250))
    return c.pixels(), None


def meadow(rng):
    c = Canvas()
    c.gradient((104, 180, 246), (210, 236, 252), 0, 0.66)
    clouds(c, rng, 4)
    for k, y in enumerate((0.6, 0.68)):
        phase = rng.uniform(0, 6)
        hill = [(x, y + 0.04 * np.sin(6 * x + phase)) for x in np.linspace(0, 1, 30)]
        c.polygon([(0, 1), *hill, (1, 1)], ((142, 206, 92), (104, 186, 74))[k])
    for _ in range(60):
        x, y = rng.uniform(0, 1), rng.uniform(0.74, 0.99)
        c.line([(x, y), (x + 0.008, y - 0.025)], (72, 150, 56), 0.006)
    for _ in range(26):
        rgb = [(255, 255, 255), (252, 216, 70), (240, 110, 150)][rng.integers(3)]
        c.disc(rng.uniform(0, 1), rng.uniform(0.72, 0.98), 0.011, rgb)
    return c.pixels(), 0.89


def mountains(rng):
    c = Canvas()
    c.gradient((128, 186, 240), (222, 234, 246), 0, 0.7)
    for k in range(5):
        x, top, w = 0.25 * k + rng.uniform(-0.1, 0.1), rng.uniform(0.1, 0.3), rng.uniform(0.26, 0.36)
        c.polygon([(x - w, 0.74), (x, top), (x + w, 0.74)], shade((112, 118, 138), rng.uniform(0.8, 1.15)))
        c.polygon([(x - 0.24 * w, top + 0.14), (x, top), (x + 0.24 * w, top + 0.14), (x + 0.06 * w, top + 0.1),
                   (x - 0.05 * w, top + 0.16)], (250, 252, 255))
    c.gradient((118, 160, 92), (90, 132, 70), 0.74, 1)
    return c.pixels(), 0.9


def table(rng):
    c, wood = Canvas(), shade((178, 120, 70), rng.uniform(0.85, 1.15))
    wall = [(236, 226, 208), (206, 222, 228), (232, 208, 200)][rng.integers(3)]
    c.gradient(wall, shade(wall, 0.9), 0, 0.7)
    x = rng.uniform(0.06, 0.5)
    c.box(x, 0.06, x + 0.4, 0.42, (250, 250, 250))
    c.box(x + 0.02, 0.08, x + 0.19, 0.4, (168, 212, 244))
    c.box(x + 0.21, 0.08, x + 0.38, 0.4, (168, 212, 244))
    c.gradient(shade(wood, 1.12), wood, 0.7, 0.94)
    for y in (0.745, 0.8, 0.87):
        c.line([(0, y), (1, y + rng.uniform(-0.01, 0.01))], shade(wood, 0.86), 0.006)
    c.gradient(shade(wood, 0.62), shade(wood, 0.5), 0.94, 1)
    return c.pixels(), 0.85


def bricks(c, rng, rgb, mortar):
    """Fills the canvas with a brick wall."""
    c.box(0, 0, 1, 1, mortar)
    for row in range(13):
        for x in np.arange(-0.18 * (row % 2) / 2, 1, 0.18):
            c.box(x + 0.006, row * 0.08 + 0.006, x + 0.174, row * 0.08 + 0.074, shade(rgb, rng.uniform(0.85, 1.12)), 0.006)


def brick_wall(rng):
    c = Canvas()
    bricks(c, rng, (176, 88, 66), (206, 192, 180))
    c.gradient((150, 146, 142), (120, 116, 114), 0.88, 1)
    return c.pixels(), 0.93


PLACES = {'beach': beach, 'jungle': jungle, 'forest': forest, 'night sky': night_sky, 'moon': moon, 'snow': snow,
          'city': city, 'times square': times_square, 'desert': desert, 'sea': sea, 'meadow': meadow,
          'mountains': mountains, 'table': table, 'brick wall': brick_wall}


def plain(rng, name):
    """A named plain colour, slightly varied, with a faint vertical gradient."""
    base = np.array(COLOURS[name], np.float32) / 255 + rng.normal(0, 0.012, 3).astype(np.float32)
    slope = rng.uniform(-0.04, 0.04) * np.linspace(-0.5, 0.5, SIDE, dtype=np.float32)
    return np.broadcast_to(base, (SIDE, SIDE, 3)) + slope[:, None, None], 0.88
