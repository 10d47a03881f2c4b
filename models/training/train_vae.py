"""Trains the light VAE (trainer/light_vae.py) on the world's pictures, widened towards what people bring.

    python train_vae.py STICKERS OUT_DIR PICTURES [POOL]

Draws POOL scenes first, then trains on PICTURES of them, changed anew each time: other hues, negatives, contrasts, zooms,
blends, noise. Loss: absolute and squared error, of edges and at half size too, and a small KL. OUT_DIR gets the moving average of the
weights, vae.safetensors, and vae.json: PSNR in dB on new scenes and on held-out subjects, and the scaling factor that gives
latents a deviation of one.
"""
import json
import math
import os
import sys
import time
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import numpy as np  # noqa: E402  (torch reads the environment)
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from trainer.light_vae import LightVae, planes, save_vae  # noqa: E402
from world.painter import painter  # noqa: E402

BATCH, RATE, WARM_UP, KL, AVERAGE = 16, 1.6e-3, 200, 1e-5, 0.998
CHUNK, SEED = 500, 6_000_000
# One chunk in three has every sticker equally often instead of every subject.
ALONE = 3
TESTS = {'new': ('trained', 1024), 'held': ('held_out', 256)}


def draw(part):
    """uint8 [count,128,128,3] of the part (STICKERS, which, alone, seed, count)."""
    folder, which, alone, seed, count = part
    return painter(folder, which, alone).pictures(np.random.default_rng(seed), count)


def pool_of(folder, count):
    """The pictures to train on, uint8 [count,128,128,3]; chunks are drawn side by side."""
    parts = [(folder, 'trained', k % ALONE == ALONE - 1, SEED + k, min(CHUNK, count - k * CHUNK)) for k in range(-(-count // CHUNK))]
    with Pool() as processes:
        return np.concatenate(list(processes.imap(draw, parts)))


def tests_of(folder):
    """{name: pictures} of scenes that are not trained on."""
    return {name: draw((folder, which, True, 99, count)) for name, (which, count) in TESTS.items()}


def some(x, share, changed):
    """`changed` instead of `x` in a share of the batch [B,…]."""
    chosen = torch.rand(len(x)).view(-1, *(1,) * (x.ndim - 1)) < share
    return torch.where(chosen, changed, x)


def recoloured(x):
    """[B,3,H,W] with channels permuted, contrast lowered towards a colour, or as a negative, each in part of the batch."""
    one = torch.ones(len(x), 1, 1, 1)
    order = torch.rand(len(x), 3).argsort(1)[:, :, None, None].expand_as(x)
    x = some(x, 0.35, x.gather(1, order))
    contrast = some(one, 0.4, 0.5 + 0.5 * torch.rand_like(one))
    return x * contrast * some(one, 0.08, -one) + (1 - contrast) * (2 * torch.rand(len(x), 3, 1, 1) - 1)


def zoomed(x):
    """Part of the batch magnified, up to twice, about a random place."""
    zoom = some(torch.ones(len(x)), 0.4, 0.45 + 0.55 * torch.rand(len(x)))
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = zoom
    theta[:, :, 2] = (1 - zoom)[:, None] * (2 * torch.rand(len(x), 2) - 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode='bicubic', padding_mode='reflection', align_corners=False)


def widened(x):
    """[B,3,H,W] in -1..1, each picture changed in ways of its own."""
    x = zoomed(recoloured(some(x, 0.5, x.flip(3))))
    one = torch.ones(len(x), 1, 1, 1)
    share = some(one, 0.1, 0.3 + 0.4 * torch.rand_like(one))
    x = x * share + x.flip(0) * (1 - share)
    return (x + some(0 * one, 0.1, 0.06 * one) * torch.randn_like(x)).clamp(-1, 1)


def pixel_loss(found, wanted):
    """Absolute and squared error, of edges and at half size too."""
    d = found - wanted
    edges = d.diff(dim=2).abs().mean() + d.diff(dim=3).abs().mean()
    return d.abs().mean() + 4 * d.pow(2).mean() + 0.7 * edges + F.avg_pool2d(d, 2).abs().mean()


def loss_of(vae, x):
    """(loss, mean squared error) of a batch [B,3,128,128]."""
    with torch.autocast('cpu', torch.bfloat16):
        mean, spread = vae.moments(x)
        spread = spread.clamp(-30, 20)
        found = vae.decoder(mean + torch.randn_like(mean) * (0.5 * spread).exp()).float()
    mean, spread = mean.float(), spread.float()
    divergence = 0.5 * (mean.pow(2) + spread.exp() - 1 - spread).sum((1, 2, 3)).mean()
    return pixel_loss(found, x) + KL * divergence, (found - x).pow(2).mean().item()


def train(vae, pool, steps):
    """Trains `vae` and leaves it with the moving average of its weights."""
    live = list(vae.parameters())
    average = [p.detach().clone() for p in live]
    optimizer = torch.optim.AdamW(live, RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    window = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = RATE * min((step + 1) / WARM_UP, (1 + math.cos(math.pi * step / steps)) / 2 + 0.003)
        pictures = planes(pool[torch.randint(len(pool), (BATCH,)).numpy()])
        loss, error = loss_of(vae, widened(pictures).contiguous(memory_format=torch.channels_last))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(live, 1.0)
        optimizer.step()
        torch._foreach_lerp_(average, live, 1 - min(AVERAGE, (1 + step) / (20 + step)))
        window.append(error)
        if len(window) == 100:
            print(f'{(step + 1) * BATCH} pictures, {10 * math.log10(4 / np.mean(window)):.2f} dB', flush=True)
            window = []
    with torch.no_grad():
        torch._foreach_copy_(live, average)


@torch.no_grad()
def measure(vae, tests):
    """PSNR of each set's mean reconstructions, and the latents' scale."""
    facts, latents = {}, []
    for name, pictures in tests.items():
        errors = []
        for part in planes(pictures).split(64):
            latents.append(vae.mean(part))
            errors.append((vae.decoder(latents[-1]).clamp(-1, 1) - part).pow(2).mean((1, 2, 3)))
        facts[f'psnr {name}'] = round((10 * torch.log10(4 / torch.cat(errors))).mean().item(), 2)
    return {**facts, 'scaling_factor': round(1 / torch.cat(latents).std().item(), 5)}


def main(folder, out, count, pool=36_000):
    os.nice(19)
    torch.manual_seed(0)
    vae, began = LightVae().to(memory_format=torch.channels_last), time.time()
    train(vae, pool_of(folder, int(pool)), int(count) // BATCH)
    facts = {**measure(vae, tests_of(folder)), 'pictures': int(count), 'seconds': round(time.time() - began)}
    save_vae(vae, facts, Path(out))
    print(json.dumps(facts))


if __name__ == '__main__':
    main(*sys.argv[1:5])
