"""The packed artwork (pack-stickers.mjs) and what is done to a sticker alone."""
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image


class Stickers:
    """A packed folder. `trained` lists the stickers that scenes may use, `held_out` the rest."""

    def __init__(self, folder):
        self.rows = json.loads((Path(folder) / 'stickers.json').read_text())['stickers']
        self.files = np.memmap(Path(folder) / 'stickers.bin', np.uint8, 'r')
        self.ends = np.cumsum([row['bytes'] for row in self.rows])
        self.trained = [i for i, row in enumerate(self.rows) if not row['heldOut']]
        self.held_out = [i for i, row in enumerate(self.rows) if row['heldOut']]

    def image(self, index):
        """One sticker as an RGBA picture."""
        end = self.ends[index]
        return Image.open(io.BytesIO(bytes(self.files[end - self.rows[index]['bytes']:end]))).convert('RGBA')


def tinted(rgba, rgb):
    """Recolours a sticker: its light and dark kept, its colours drawn to one hue."""
    light = rgba[..., :3].astype(np.float32) @ np.array([0.3, 0.59, 0.11], np.float32) / 255
    toned = np.clip(light[..., None] * 0.9 + 0.3, 0, 1.3) * np.array(rgb, np.float32)
    rgba[..., :3] = np.clip(0.85 * toned + 0.15 * rgba[..., :3], 0, 255)
    return rgba
