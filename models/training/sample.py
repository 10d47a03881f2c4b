"""Draws a contact sheet: one picture for each of the first 40 prompts, unpicked, from an exported model.

    python sample.py MODEL_DIR OUT.webp

DPM-Solver++ 2M, 25 steps, guidance 5, seed = number of the prompt; the graphs run in onnxruntime as they ship.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image, ImageDraw
from tokenizers import Tokenizer

from tokenizer import encode
from trainer.networks import CELLS, CHANNELS, build_sampler

PROMPTS = ['a photo of a frog', 'a photo of a penguin on the beach', 'a cat in flat style', 'a lion in the jungle',
           'a photo of a robot in the moon', 'a ghost in the night sky', 'a car in the city', 'a rose on a white background',
           'an apple on a teal background', 'a pencil drawing of a dog', 'a silhouette of a horse', 'a fish under the sea',
           'a photo of a hamburger on a table', 'a statue of a bear', 'a church in the mountains', 'a photo of a mushroom in the forest',
           'a bus in times square', 'a neon sign of a trumpet', 'a photo of a turtle on the left', 'a tiger in the snow',
           'a watercolor painting of a tulip', 'two cats in a meadow', 'a balloon on a navy background', 'a blue cat',
           'three apples on a table', 'a photo of an alien in the desert', 'a watermelon in 3d style',
           'a parrot before a brick wall', 'a painting of a swan in the style of monet', 'a whale in the style of storybook',
           'oil painting of a cow', 'app icon of a camera', 'a marc chagall painting of a rooster', 'pixel art of a dinosaur',
           'colorful graffiti of a skull', 'a photo of an animal', 'a photo of a small vehicle', 'a sand sculpture of a crab',
           'a manga drawing of a robot', 'a close-up photo of a butterfly']
STEPS, GUIDANCE = 25, 5.0


def sessions(folder):
    """onnxruntime sessions of the graphs that sampling runs."""
    names = ('text_encoder', 'unet', 'vae_decoder')
    return {n: onnxruntime.InferenceSession(str(folder / n / 'model.onnx'), providers=['CPUExecutionProvider']) for n in names}


def sample(folder, prompts, seeds):
    """Pictures uint8 [n,128,128,3] of the prompts."""
    graphs = sessions(folder)
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer/tokenizer.json'))
    scale = json.loads((folder / 'vae_decoder/config.json').read_text())['scaling_factor']
    ids = np.array(encode(tokenizer, prompts + [''] * len(prompts)), np.int64)
    context = graphs['text_encoder'].run(['last_hidden_state'], {'input_ids': ids})[0]
    scheduler = build_sampler(STEPS)
    x = torch.cat([torch.randn(1, CHANNELS, CELLS, CELLS, generator=torch.Generator().manual_seed(s)) for s in seeds])
    for t in scheduler.timesteps:
        feeds = {'sample': torch.cat([x, x]).half().numpy(), 'timestep': np.full(len(ids), int(t), np.int64),
                 'encoder_hidden_states': context}
        said, empty = torch.from_numpy(graphs['unet'].run(None, feeds)[0]).float().chunk(2)
        x = scheduler.step(empty + GUIDANCE * (said - empty), t, x).prev_sample
    pictures = graphs['vae_decoder'].run(None, {'latent_sample': (x / scale).half().numpy()})[0].astype(np.float32)
    return ((pictures.transpose(0, 2, 3, 1).clip(-1, 1) + 1) * 127.5).astype(np.uint8)


def sheet(pictures, prompts, across=8, size=128):
    """A labelled grid."""
    cell = size + 26
    rows = -(-len(pictures) // across)
    canvas = Image.new('RGB', (across * (size + 8), rows * cell), 'white')
    pen = ImageDraw.Draw(canvas)
    for i, (picture, prompt) in enumerate(zip(pictures, prompts)):
        x, y = (i % across) * (size + 8), i // across * cell
        canvas.paste(Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC), (x, y))
        words, lines = prompt.split(), ['']
        for word in words:
            lines = lines[:-1] + [f'{lines[-1]} {word}'.strip()] if len(lines[-1]) + len(word) < 24 else lines + [word]
        for n, line in enumerate(lines[:2]):
            pen.text((x + 2, y + size + 1 + 11 * n), line, fill='black')
    return canvas


if __name__ == '__main__':
    made = sample(Path(sys.argv[1]), PROMPTS, range(len(PROMPTS)))
    sheet(made, PROMPTS).save(sys.argv[2], optimize=True)
