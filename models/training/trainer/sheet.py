"""What a trained base draws: a labelled contact sheet of fixed prompts and seeds, nothing picked."""
import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer

from sample import sheet
from tokenizer import encode
from trainer.light_vae import load_vae
from trainer.networks import build_sampler, load_networks
from world.captions import EVALUATION_PROMPTS

SUBJECTS = ['a penguin', 'a robot', 'a cat', 'a trumpet']
MORE = ['a photo of a lion', 'a shark under the sea', 'a butterfly', 'a turtle', 'a hamburger', 'a croissant', 'an airplane',
        'a bus in the city', 'a church', 'a rose', 'a balloon', 'a microscope', 'sunglasses', 'a chair', 'a laptop',
        'an umbrella', 'a planet in the night sky', 'a volcano', 'a skull', 'a ghost', 'a camera', 'a monkey',
        'a red cat on a beach', 'three balloons in the night sky', 'a small robot on the left',
        'a close-up photo of a lion', 'a glossy style butterfly', 'a neon sign of a rose', 'pixel art of a ghost',
        'a pencil drawing of a chair']


def prompts():
    def named(prompt, subject):
        return prompt.format(subject.split()[-1] + 's') if 'two' in prompt else prompt.format(subject)
    # The paper's first prompt brings an article of its own.
    fifteen = [prompt.replace('a {}', '{}') for prompt in EVALUATION_PROMPTS]
    return [named(prompt, subject) for subject in SUBJECTS for prompt in fifteen] + MORE


@torch.no_grad()
def draw(networks, vae_folder, tokenizer, sentences, steps=25, guidance=5.0, seed=7):
    """Pictures uint8 [n,128,128,3]; DPM-Solver++ 2M."""
    vae, scale = load_vae(vae_folder)
    said, empty = (torch.tensor(encode(tokenizer, some)) for some in (sentences, [''] * len(sentences)))
    scheduler = build_sampler(steps)
    x = torch.randn(len(sentences), 4, 16, 16, generator=torch.Generator().manual_seed(seed))
    tokens = torch.cat([empty, said])
    for at in scheduler.timesteps:
        with torch.autocast('cpu', torch.bfloat16):
            noise = networks(torch.cat([x, x]), at.expand(len(tokens)), tokens).float()
        without, with_words = noise.chunk(2)
        x = scheduler.step(without + guidance * (with_words - without), at, x).prev_sample
    pictures = torch.cat([vae.decoder(part / scale) for part in x.split(16)])
    return ((pictures.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()


def write_sheet(run, model, out):
    """Draws the sheet of the weights in `model` into `out` (.webp)."""
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    sentences = prompts()
    pictures = draw(load_networks(model), run / 'vae', tokenizer, sentences)
    canvas = sheet(np.asarray(pictures), sentences, across=15)
    Image.Image.save(canvas, out, quality=80)
