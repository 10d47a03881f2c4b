"""Backgrounds at 64x64: eight places drawn with a few raster operations, and plain colours.

Every drawing takes a numpy random generator and returns (picture float32 [64,64,3] in 0..1, ground line in pixels).
"""
import numpy as np

S = 64
COLOURS = {
    'white': (250, 250, 250), 'black': (24, 24, 28), 'gray': (150, 152, 158), 'red': (208, 58, 52),
    'orange': (240, 150, 60), 'yellow': (248, 220, 96), 'green': (96, 178, 100), 'blue': (92, 150, 222),
    'purple': (150, 104, 196), 'pink': (244, 170, 192),
}
Y, X = np.mgrid[0:S, 0:S].astype(np.float32)


def colour(*rgb):
    """An 8-bit colour as float32."""
    return np.array(rgb, np.float32) / 255


def gradient(top, bottom, rows=S):
    """A vertical gradient filling the whole picture; `bottom` is reached at `rows`."""
    t = np.clip(Y / rows, 0, 1)[..., None]
    return colour(*top) * (1 - t) + colour(*bottom) * t


def disc(picture, x, y, r, rgb):
    """Paints a soft-edged disc."""
    a = np.clip(r - np.hypot(X - x, Y - y) + 0.5, 0, 1)[..., None]
    picture[:] = picture * (1 - a) + colour(*rgb) * a


def box(picture, x0, y0, x1, y1, rgb):
    """Paints a rectangle, cut at the borders."""
    picture[max(int(y0), 0):max(int(y1), 0), max(int(x0), 0):max(int(x1), 0)] = colour(*rgb)


def clouds(picture, rng, n, rgb=(255, 255, 255)):
    """Small clouds in the upper third."""
    for _ in range(n):
        x, y = rng.uniform(2, 62), rng.uniform(3, 18)
        for dx in (-3, 0, 3):
            disc(picture, x + dx, y - (dx == 0), rng.uniform(1.8, 3), rgb)


def beach(rng):
    sea, sand = rng.integers(24, 30), rng.integers(38, 44)
    p = gradient((96, 180, 246), (200, 232, 252), sea)
    disc(p, rng.uniform(6, 58), rng.uniform(5, 13), 4.5, (255, 234, 110))
    p[sea:] = gradient((24, 120, 196), (60, 178, 214), sand)[sea:]
    p[sand:] = colour(236, 208, 146) + rng.normal(0, 0.02, (S - sand, S, 1))
    p[sand - 1:sand + 1] = colour(245, 248, 246)
    return p, 56


def jungle(rng):
    p = gradient((26, 92, 44), (40, 120, 52))
    for _ in range(5):
        x = rng.uniform(0, 62)
        box(p, x, 0, x + rng.uniform(2, 4), 50, (84, 62, 40))
    for _ in range(60):
        g = rng.uniform(0.6, 1.25)
        disc(p, rng.uniform(0, 64), rng.choice([rng.uniform(0, 24), rng.uniform(48, 64)]), rng.uniform(2, 5),
             (34 * g, 132 * g, 56 * g))
    return p, 58


def moon(rng):
    p = gradient((6, 6, 18), (12, 12, 30))
    p[rng.integers(0, 40, 40), rng.integers(0, S, 40)] = rng.uniform(0.5, 1, (40, 1))
    x, y = rng.uniform(8, 56), rng.uniform(6, 14)
    disc(p, x, y, 5, (52, 120, 214))
    disc(p, x - 1, y + 1, 2, (88, 176, 90))
    p[44:] = colour(150, 150, 154)
    for _ in range(9):
        cx, cy, r = rng.uniform(0, 64), rng.uniform(47, 63), rng.uniform(1.5, 4)
        a = (np.hypot((X - cx) / 1.8, Y - cy) < r)[..., None]
        p[:] = np.where(a, colour(118, 118, 124), p)
    return p, 56


def snow(rng):
    p = gradient((168, 200, 232), (222, 236, 248), 44)
    for _ in range(5):
        x, h = rng.uniform(0, 64), rng.uniform(9, 16)
        a = (np.abs(X - x) < (Y - (44 - h)) * 0.4) & (Y < 44)
        p[:] = np.where(a[..., None], colour(70, 116, 104), p)
    p[43:] = colour(246, 249, 253)
    for _ in range(26):
        disc(p, rng.uniform(0, 64), rng.uniform(0, 62), rng.uniform(0.6, 1.2), (255, 255, 255))
    return p, 57


def city(rng):
    p = gradient((150, 198, 238), (214, 228, 240), 50)
    x = -rng.integers(0, 6)
    while x < S:
        w, top, g = rng.integers(8, 14), rng.integers(8, 30), rng.uniform(0.75, 1.1)
        base = (150 * g, 150 * g, 160 * g) if rng.random() < 0.6 else (176 * g, 142 * g, 112 * g)
        box(p, x, top, x + w, 52, base)
        for wy in range(top + 2, 50, 5):
            for wx in range(x + 2, x + w - 2, 4):
                box(p, wx, wy, wx + 2, wy + 3, (250, 232, 160) if rng.random() < 0.5 else (88, 104, 128))
        x += w
    box(p, 0, 52, S, S, (84, 86, 94))
    for wx in range(-int(rng.integers(0, 10)), S, 12):
        box(p, wx, 59, wx + 6, 60, (240, 214, 90))
    return p, 58


def meadow(rng):
    p = gradient((108, 184, 246), (206, 234, 252), 40)
    clouds(p, rng, 3)
    hill = 38 + 3 * np.sin(X / rng.uniform(9, 15) + rng.uniform(0, 6))
    p[:] = np.where((Y > hill)[..., None], gradient((134, 204, 84), (72, 158, 56)), p)
    for _ in range(22):
        rgb = [(255, 255, 255), (250, 214, 70), (240, 110, 150)][rng.integers(3)]
        disc(p, rng.uniform(0, 64), rng.uniform(44, 63), 0.9, rgb)
    return p, 57


def sea(rng):
    p = gradient((64, 178, 222), (10, 66, 130))
    p += 0.05 * np.clip(np.sin(X / 5 - Y / 9 + rng.uniform(0, 6)), 0, 1)[..., None] * (1 - Y / S)[..., None]
    p[57:] = colour(204, 184, 128)
    for _ in range(7):
        x, h = rng.uniform(0, 64), rng.uniform(5, 14)
        a = (np.abs(X - x - np.sin(Y / 2)) < 1.1) & (Y > 58 - h) & (Y < 58)
        p[:] = np.where(a[..., None], colour(38, 148, 92), p)
    for _ in range(9):
        disc(p, rng.uniform(0, 64), rng.uniform(2, 50), rng.uniform(0.7, 1.7), (190, 232, 248))
    return p, 57


def times_square(rng):
    p = gradient((22, 16, 46), (40, 30, 66))
    neon = [(255, 70, 90), (255, 170, 50), (255, 236, 90), (80, 230, 130), (70, 190, 255), (230, 90, 230), (245, 245, 250)]
    for x in range(-int(rng.integers(0, 6)), S, 8):
        for y in range(int(rng.integers(-3, 4)), 48, 8):
            if rng.random() < 0.8:
                box(p, x, y, x + rng.integers(4, 8), y + rng.integers(4, 8), neon[rng.integers(len(neon))])
    box(p, 0, 52, S, S, (46, 42, 62))
    return p, 58


PLACES = {'beach': beach, 'jungle': jungle, 'moon': moon, 'snow': snow, 'city': city, 'meadow': meadow, 'sea': sea,
          'times square': times_square}


def plain(rng, name):
    """A named plain colour, slightly varied, with a faint vertical gradient."""
    p = np.ones((S, S, 3), np.float32) * colour(*COLOURS[name]) + rng.normal(0, 0.012, 3).astype(np.float32)
    return p + (rng.uniform(-0.04, 0.04) * (Y / S - 0.5))[..., None], 57
