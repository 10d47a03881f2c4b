"""A canvas for backgrounds: drawn at twice the size in units of the picture's side, then halved, so edges are smooth."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 128
FINE = 2 * SIDE


class Canvas:
    """Positions and sizes are fractions of the side, y downwards; colours are (r, g, b), 0..255."""

    def __init__(self, rgb=(255, 255, 255)):
        self.image = Image.new('RGB', (FINE, FINE), rgb)
        self.pen = ImageDraw.Draw(self.image)

    def gradient(self, top, bottom, y0=0.0, y1=1.0):
        """Fills the rows from y0 to y1 with a vertical gradient."""
        rows = np.arange(round(y0 * FINE), round(y1 * FINE))
        part = np.linspace(0, 1, max(len(rows), 1))
        for row, k in zip(rows, part):
            self.pen.line([(0, int(row)), (FINE, int(row))], tuple(int(a + (b - a) * k) for a, b in zip(top, bottom)))

    def disc(self, x, y, r, rgb, wide=1.0):
        """A disc, or an ellipse `wide` times as wide as high."""
        self.pen.ellipse([FINE * (x - r * wide), FINE * (y - r), FINE * (x + r * wide), FINE * (y + r)], rgb)

    def box(self, x0, y0, x1, y1, rgb, corner=0.0):
        """A rectangle, with round corners of radius `corner`."""
        self.pen.rounded_rectangle([FINE * x0, FINE * y0, FINE * x1, FINE * y1], FINE * corner, rgb)

    def polygon(self, points, rgb):
        self.pen.polygon([(FINE * x, FINE * y) for x, y in points], rgb)

    def line(self, points, rgb, width=0.01):
        self.pen.line([(FINE * x, FINE * y) for x, y in points], rgb, max(1, round(FINE * width)), 'curve')

    def blur(self, radius):
        """Softens what is there so far; `radius` in sides."""
        self.image.paste(self.image.filter(ImageFilter.GaussianBlur(FINE * radius)))

    def pixels(self):
        """float32 [SIDE,SIDE,3] in 0..1."""
        small = self.image.resize((SIDE, SIDE), Image.Resampling.BOX)
        return np.asarray(small, np.float32) / 255


def shade(rgb, factor):
    """The colour made lighter (factor over 1) or darker."""
    return tuple(int(min(255, max(0, c * factor))) for c in rgb)
