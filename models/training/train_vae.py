"""Trains the VAE on the world's pictures, then measures it on pictures of stickers it never saw.

    python train_vae.py STICKERS OUT_DIR SECONDS

Pictures come from every sticker that is not held out, not only the U-Net's subjects: a wider VAE serves the user's own
pictures better. Loss: L1 + 4 MSE + an edge term (L1 of the finite differences) + a small KL. OUT_DIR gets
vae.safetensors (an earlier one there is trained further) and vae.json {scaling_factor, psnr, pictures, seconds}.
"""
import json
import math
import sys
import time
from multiprocessing import Process, Queue
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import model
import world

BATCH = 16
RATE = 1.6e-3
KL = 1e-5


def scenes(stickers, backgrounds, choices, n, rng):
    """n pictures of random stickers among `choices`, uint8 [n,64,64,3]."""
    picks = rng.choice(choices, n)
    return np.stack([world.draw(stickers, backgrounds, world.describe(rng, s), rng) for s in picks])


def producer(folder, seed, queue):
    """Fills the queue with batches, for ever."""
    stickers, backgrounds, rng = world.Stickers(folder), world.Backgrounds(), np.random.default_rng(seed)
    while True:
        queue.put(scenes(stickers, backgrounds, stickers.others, BATCH, rng))


def tensor(pictures):
    """uint8 [n,64,64,3] to float32 [n,3,64,64] in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def edges(a, b):
    """L1 distance of horizontal and vertical differences."""
    d = a - b
    return d.diff(dim=2).abs().mean() + d.diff(dim=3).abs().mean()


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


def main(folder, out, seconds):
    torch.set_num_threads(2)
    torch.manual_seed(0)
    queue = Queue(24)
    Process(target=producer, args=(folder, 1, queue), daemon=True).start()
    vae = model.build_vae()
    if (Path(out) / 'vae.safetensors').exists():
        model.load_weights(vae, Path(out) / 'vae.safetensors')
    vae = vae.to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(vae, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998))
    optimizer = torch.optim.AdamW(vae.parameters(), RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    start, step, budget = time.time(), 0, float(seconds)
    while time.time() - start < budget:
        part = (time.time() - start) / budget
        for group in optimizer.param_groups:
            group['lr'] = RATE * min(step / 50, 1) * (1 + math.cos(math.pi * part)) / 2 + 1e-5
        x = tensor(queue.get()).contiguous(memory_format=torch.channels_last)
        with torch.autocast('cpu', torch.bfloat16):
            posterior = vae.encode(x).latent_dist
            y = vae.decode(posterior.sample()).sample
        d = y.float() - x
        loss = d.abs().mean() + 4 * d.pow(2).mean() + 0.7 * edges(y.float(), x)
        loss = loss + KL * posterior.kl().float().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(vae)
        step += 1
        if step % 50 == 0:
            print(step, f'{time.time() - start:.0f}s loss {loss.item():.4f} mse {d.pow(2).mean().item():.4f}', flush=True)
    stickers, rng = world.Stickers(folder), np.random.default_rng(99)
    held_out = scenes(stickers, world.Backgrounds(), stickers.held_out, 256, rng)
    psnr, deviation = measure(average.module.eval(), held_out)
    target = Path(out)
    target.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in average.module.state_dict().items()}, str(target / 'vae.safetensors'))
    facts = {'scaling_factor': round(1 / deviation, 5), 'psnr': round(psnr, 2), 'pictures': step * BATCH,
             'seconds': round(time.time() - start)}
    (target / 'vae.json').write_text(json.dumps(facts) + '\n')
    print(facts)


if __name__ == '__main__':
    main(*sys.argv[1:4])
