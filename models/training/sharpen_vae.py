"""Sharpens what the VAE's decoder draws. Encoder and latents stay as they are, so no other network is trained again.

    python sharpen_vae.py RUN_DIR MINUTES

Reads pictures.npy, tokens.npy, latents.npy, vae.json and vae.safetensors of RUN_DIR, and writes vae.safetensors. A squared
error rewards the mean of all pictures that a latent may stand for, which is a blur. Here it shares the gradient with a
perceptual distance (Zhang et al. 2018) in the features of a small network that reads caption words off pictures, and
with a patch discriminator (Esser et al. 2021): the three gradients meet at the picture, scaled to SHARES of the first's norm.
"""
import json
import math
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import model
from train_judge import augment
from train_vae import pixel_loss, tensor

BATCH = 16
READER_BATCH, READER_RATE, READER_SHARE = 64, 2e-3, 0.12
RATE, DISCRIMINATOR_RATE = 5e-4, 4e-4
WARM_UP = 200
AVERAGE = 0.998
SAVE = 1000
SHARES = {'pixels': 1.0, 'perceptual': 1.0, 'adversarial': 0.5}
READER_WIDTHS, DISCRIMINATOR_WIDTHS = (32, 64, 128, 160), (32, 64, 128)


class Reader(nn.Module):
    """Pictures [B,3,S,S] to the features of each stage; `words` turns the last into logits [B, vocabulary]."""

    def __init__(self, vocabulary):
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.GroupNorm(8, b), nn.SiLU(), nn.Conv2d(b, b, 3, 1, 1), nn.SiLU())
            for a, b in zip((3, *READER_WIDTHS), READER_WIDTHS))
        self.head = nn.Linear(READER_WIDTHS[-1], vocabulary)

    def forward(self, x):
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

    def words(self, x):
        return self.head(self(x)[-1].mean((2, 3)))


def perceptual(reader, y, x):
    """Squared distance of unit-length features, summed over stages."""
    with torch.no_grad():
        wanted = reader(x)
    return sum((F.normalize(a.float(), dim=1) - F.normalize(b.float(), dim=1)).pow(2).sum(1).mean()
               for a, b in zip(reader(y), wanted))


def build_discriminator():
    """Pictures to a score for each patch of about 30 pixels, spectrally normalised."""
    widths = (3, *DISCRIMINATOR_WIDTHS)
    layers = [layer for a, b in zip(widths, widths[1:]) for layer in
              (nn.utils.parametrizations.spectral_norm(nn.Conv2d(a, b, 4, 2, 1)), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers, nn.utils.parametrizations.spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1)))


class Pictures:
    """Random batches of the drawn pictures with their latents and caption words."""

    def __init__(self, run, vocabulary):
        self.pictures, self.tokens = np.load(run / 'pictures.npy', 'r'), np.load(run / 'tokens.npy')
        self.latents, self.vocabulary = np.load(run / 'latents.npy'), vocabulary
        self.rng = np.random.default_rng()

    def draw(self, n):
        """(pictures [n,3,S,S], latents [n,4,s,s], share of each word [n, vocabulary])."""
        i = np.sort(self.rng.choice(len(self.pictures), n, replace=False))
        words = torch.zeros(n, self.vocabulary).scatter_(1, torch.from_numpy(self.tokens[i].astype(np.int64)), 1)
        words[:, -2:] = 0  # start and end say nothing
        words = words / words.sum(1, keepdim=True).clamp(min=1)
        return (tensor(self.pictures[i]).contiguous(memory_format=torch.channels_last),
                torch.from_numpy(self.latents[i]).float().to(model.DEVICE), words.to(model.DEVICE))


def clock(seconds):
    """Yields the share of the time that has passed, until all has."""
    start = time.time()
    while (share := (time.time() - start) / seconds) < 1:
        yield share


def set_rate(optimizer, rate, step, share):
    for group in optimizer.param_groups:
        group['lr'] = rate * min((step + 1) / WARM_UP, (1 + math.cos(math.pi * share)) / 2 + 0.01)


def train_reader(reader, pictures, seconds):
    """Teaches `reader` which words a picture's caption has."""
    optimizer, loss_mean = torch.optim.AdamW(reader.parameters(), READER_RATE, fused=True), None
    for step, share in enumerate(clock(seconds)):
        set_rate(optimizer, READER_RATE, step, share)
        x, _, words = pictures.draw(READER_BATCH)
        with torch.autocast(model.DEVICE, torch.bfloat16):
            loss = F.cross_entropy(reader.words(augment(x)).float(), words)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_mean = loss.item() if loss_mean is None else 0.98 * loss_mean + 0.02 * loss.item()
        if step % 100 == 0:
            print(f'reader {step}: {loss_mean:.3f}', flush=True)
    reader.eval().requires_grad_(False)


def gradient_at(y, losses):
    """The weighted sum of the losses' gradients with respect to the pictures `y`, balanced by SHARES."""
    gradients = {name: torch.autograd.grad(loss, y, retain_graph=True)[0] for name, loss in losses.items()}
    unit = gradients['pixels'].norm()
    return sum(SHARES[name] * unit / g.norm().clamp(min=1e-12) * g for name, g in gradients.items())


def losses_of(y, x, reader, discriminator):
    with torch.autocast(model.DEVICE, torch.bfloat16):
        return {'pixels': pixel_loss(y, x), 'perceptual': perceptual(reader, y, x),
                'adversarial': -discriminator(y).float().mean()}


def hinge_loss(discriminator, real, drawn):
    with torch.autocast(model.DEVICE, torch.bfloat16):
        on_real, on_drawn = (discriminator(pictures).float() for pictures in (real, drawn))
    return F.relu(1 - on_real).mean() + F.relu(1 + on_drawn).mean()


def train_decoder(vae, reader, pictures, scale, seconds, keep):
    """Trains the decoder of `vae` in place; `keep` gets the moving average of the VAE now and then, and last."""
    discriminator = build_discriminator().to(model.DEVICE, memory_format=torch.channels_last)
    weights = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(weights, RATE, betas=(0.8, 0.99), weight_decay=1e-3, fused=True)
    critic = torch.optim.AdamW(discriminator.parameters(), DISCRIMINATOR_RATE, betas=(0.5, 0.99), fused=True)
    average = torch.optim.swa_utils.AveragedModel(vae, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGE))
    window = []
    for step, share in enumerate(clock(seconds)):
        set_rate(optimizer, RATE, step, share)
        set_rate(critic, DISCRIMINATOR_RATE, step, share)
        x, z, _ = pictures.draw(BATCH)
        with torch.autocast(model.DEVICE, torch.bfloat16):
            drawn = vae.decode(z / scale).sample
        y = drawn.detach().float().requires_grad_()
        discriminator.requires_grad_(False)
        losses = losses_of(y, x, reader, discriminator)
        optimizer.zero_grad()
        drawn.backward(gradient_at(y, losses).to(drawn.dtype))
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        discriminator.requires_grad_(True)
        hinge = hinge_loss(discriminator, x, y.detach())
        critic.zero_grad()
        hinge.backward()
        critic.step()
        average.update_parameters(vae)
        window.append([(y - x).pow(2).mean().item(), losses['perceptual'].item(), hinge.item()])
        if len(window) == 100:
            mse, distance, judged = np.mean(window, 0)
            print(f'{step + 1}: {10 * math.log10(4 / mse):.2f} dB, perceptual {distance:.3f}, hinge {judged:.2f}, {share:.0%}', flush=True)
            window = []
        if step % SAVE == SAVE - 1:
            keep(average.module)
    keep(average.module)


def keep(path, vae):
    save_file({k: v.contiguous().cpu() for k, v in vae.state_dict().items()}, str(path))


def main(run, minutes):
    torch.set_num_threads(2)
    run, seconds = Path(run), 60 * float(minutes)
    vae = model.build_vae()
    model.load_weights(vae, run / 'vae.safetensors')
    vae = vae.to(model.DEVICE, memory_format=torch.channels_last)
    vocabulary = json.loads((run / 'facts.json').read_text())['vocabulary']
    scale = json.loads((run / 'vae.json').read_text())['scaling_factor']
    pictures = Pictures(run, vocabulary)
    reader = Reader(vocabulary).to(model.DEVICE, memory_format=torch.channels_last)
    train_reader(reader, pictures, READER_SHARE * seconds)
    train_decoder(vae, reader, pictures, scale, (1 - READER_SHARE) * seconds, partial(keep, run / 'vae.safetensors'))


if __name__ == '__main__':
    main(*sys.argv[1:3])
