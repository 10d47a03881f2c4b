"""Trains the VAE on the world's pictures, then measures it on pictures of stickers it never saw.

    python train_vae.py STICKERS RUN_DIR STEPS

Reads pictures.npy and others.npy of RUN_DIR. Loss: L1 + 4 MSE + an edge term (L1 of the finite differences) + a small
KL. RUN_DIR gets vae.safetensors (an earlier one there is trained further) and vae.json {scaling_factor, psnr,
pictures, seconds}, the last two over all runs.
"""
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import model
from draw_pictures import scenes
from extent import SUBJECTS, world
from stickers import Stickers

BATCH = 16
RATE = 1.6e-3
WARM_UP = 100
KL = 1e-5


def tensor(pictures):
    """uint8 [n,S,S,3] to float32 [n,3,S,S] in -1..1, on the device."""
    return torch.from_numpy(pictures).to(model.DEVICE).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def edges(a, b):
    """L1 distance of horizontal and vertical differences."""
    d = a - b
    return d.diff(dim=2).abs().mean() + d.diff(dim=3).abs().mean()


def pixel_loss(y, x):
    """L1 + 4 MSE + edges, of pictures drawn and wanted."""
    return (y - x).abs().mean() + 4 * (y - x).pow(2).mean() + 0.7 * edges(y, x)


def measure(vae, pictures):
    """(PSNR in dB of the mean reconstruction, standard deviation of the latent)."""
    errors, latents = [], []
    with torch.no_grad():
        for part in tensor(pictures).split(64):
            z = vae.encode(part).latent_dist.mode()
            latents.append(z)
            errors.append((vae.decode(z).sample.clamp(-1, 1) - part).pow(2).mean((1, 2, 3)))
    psnr = 10 * torch.log10(4 / torch.cat(errors)).mean()
    return float(psnr), float(torch.cat(latents).std())


def loss_of(vae, x):
    """(loss, mean squared error) of a batch [B,3,S,S]."""
    with torch.autocast(model.DEVICE, torch.bfloat16):
        posterior = vae.encode(x).latent_dist
        y = vae.decode(posterior.sample()).sample.float()
    return pixel_loss(y, x) + KL * posterior.kl().float().mean(), (y - x).pow(2).mean().item()


def train(vae, pools, steps):
    """Trains `vae` in place, half of each batch from each pool; returns the moving average of its weights."""
    average = torch.optim.swa_utils.AveragedModel(vae, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    optimizer = torch.optim.AdamW(vae.parameters(), RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    rng, start, window = np.random.default_rng(), time.time(), []
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = RATE * min((step + 1) / WARM_UP, (1 + math.cos(math.pi * step / steps)) / 2 + 0.01)
        picked = [pool[np.sort(rng.choice(len(pool), BATCH // 2, replace=False))] for pool in pools]
        x = tensor(np.concatenate(picked)).contiguous(memory_format=torch.channels_last)
        loss, mse = loss_of(vae, x)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(vae)
        window.append(mse)
        if len(window) == 100:
            print(f'{step + 1} {time.time() - start:.0f}s {10 * math.log10(4 / np.mean(window)):.2f} dB', flush=True)
            window = []
    return average.module.eval()


def main(stickers, run, steps):
    torch.set_num_threads(2)
    run, vae, begun = Path(run), model.build_vae(), time.time()
    before = {'pictures': 0, 'seconds': 0}
    if (run / 'vae.safetensors').exists():
        model.load_weights(vae, run / 'vae.safetensors')
        before = json.loads((run / 'vae.json').read_text())
    pools = [np.load(run / name, 'r') for name in ('pictures.npy', 'others.npy')]
    vae = train(vae.to(model.DEVICE, memory_format=torch.channels_last), pools, int(steps))
    stickers = Stickers(stickers, SUBJECTS)
    held_out = scenes(stickers, world.Backgrounds(), stickers.held_out, 256, np.random.default_rng(99))
    psnr, deviation = measure(vae, held_out)
    save_file({k: v.contiguous().cpu() for k, v in vae.state_dict().items()}, str(run / 'vae.safetensors'))
    facts = {'scaling_factor': round(1 / deviation, 5), 'psnr': round(psnr, 2),
             'pictures': before['pictures'] + int(steps) * BATCH,
             'seconds': before['seconds'] + round(time.time() - begun)}
    (run / 'vae.json').write_text(json.dumps(facts) + '\n')
    print(facts)


if __name__ == '__main__':
    main(*sys.argv[1:4])
