"""Makes a VAE's latents easier to denoise: what is decoded from reduced or turned latents must be the reduced or turned picture
(EQ-VAE, Kouzelis et al. 2025). Fine-tunes encoder and decoder together.

    python -m trainer.equivariance PICTURES VAE_DIR OUT_DIR PICTURE_COUNT        (PICTURES: folder of *.npz with `pictures` uint8 [n,128,128,3])
"""
import json
import math
import os
import sys
from pathlib import Path

os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

import numpy as np  # noqa: E402  (torch reads the environment)
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from trainer.light_vae import load_vae  # noqa: E402
from trainer.loop import write_aside  # noqa: E402

BATCH, RATE, KL = 16, 6e-4, 1e-5
# Share of the batches that are transformed, and sides to which their latents are reduced.
TRANSFORMED, SIDES = 0.5, (8, 10, 12, 16)


def planes(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def transformed(latents, pictures, random):
    """Both reduced to one side and turned by the same quarter turns."""
    side, turns = SIDES[random.integers(len(SIDES))], int(random.integers(4))
    small = F.interpolate(latents, size=(side, side), mode='area') if side < 16 else latents
    target = F.interpolate(pictures, size=(8 * side, 8 * side), mode='area') if side < 16 else pictures
    return small.rot90(turns, (2, 3)), target.rot90(turns, (2, 3))


def pixel_loss(found, wanted):
    """Absolute and squared error, of edges and at half size too."""
    d = found - wanted
    edges = d.diff(dim=2).abs().mean() + d.diff(dim=3).abs().mean()
    return d.abs().mean() + 4 * d.pow(2).mean() + 0.7 * edges + F.avg_pool2d(d, 2).abs().mean()


def loss_of(vae, pictures, random):
    with torch.autocast('cpu', torch.bfloat16):
        mean, logvar = vae.encoder(pictures).chunk(2, 1)
        latents = mean + torch.randn_like(mean) * (0.5 * logvar.clamp(-30, 20)).exp()
        wanted = pictures
        if random.random() < TRANSFORMED:
            latents, wanted = transformed(latents, pictures, random)
        found = vae.decoder(latents).float()
    mean, logvar = mean.float(), logvar.float().clamp(-30, 20)
    spread = 0.5 * (mean.pow(2) + logvar.exp() - 1 - logvar).sum((1, 2, 3)).mean()
    return pixel_loss(found, wanted) + KL * spread


def psnr(found, wanted):
    return (10 * torch.log10(4 / (found.clamp(-1, 1) - wanted).pow(2).mean((1, 2, 3)))).mean().item()


@torch.no_grad()
def measure(vae, tests):
    """PSNR on new scenes and held-out subjects, scale of the latents, and how far reduced latents decode to the reduced picture."""
    facts, latents = {}, []
    for name in ('new', 'held'):
        pictures = planes(tests[name])
        means = torch.cat([vae.mean(part) for part in pictures.split(64)])
        decoded = torch.cat([vae.decoder(part) for part in means.split(64)])
        half = torch.cat([vae.decoder(F.avg_pool2d(part, 2)) for part in means.split(64)])
        facts |= {f'psnr {name}': round(psnr(decoded, pictures), 2), f'psnr {name} reduced': round(psnr(half, F.avg_pool2d(pictures, 2)), 2)}
        latents.append(means)
    scale = 1 / torch.cat(latents).std().item()
    return {**facts, 'scaling_factor': round(scale, 5)}


def main(folder, start, out, count):
    os.nice(19)
    files = sorted(Path(folder).glob('[to][at]*-*.npz'))
    tests = np.load(Path(folder) / 'tests.npz')
    vae, _ = load_vae(Path(start))
    print('before', measure(vae, tests), flush=True)
    optimizer = torch.optim.AdamW(vae.parameters(), RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    average = [p.detach().clone() for p in vae.parameters()]
    random, steps = np.random.default_rng(3), int(count) // BATCH
    pool = np.concatenate([np.load(file)['pictures'] for file in files])
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = RATE * min((step + 1) / 100, (1 + math.cos(math.pi * step / steps)) / 2 + 0.003)
        pictures = planes(pool[random.integers(len(pool), size=BATCH)])
        loss = loss_of(vae, pictures if random.random() < 0.5 else pictures.flip(3), random)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        torch._foreach_lerp_(average, list(vae.parameters()), 1 - min(0.998, (1 + step) / (20 + step)))
        if step % 100 == 99:
            print(step + 1, steps, round(loss.item(), 4), flush=True)
    with torch.no_grad():
        torch._foreach_copy_(list(vae.parameters()), average)
    facts = measure(vae, tests)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    halves = {k: v.half().contiguous() for k, v in vae.state_dict().items()}
    write_aside(out / 'vae.safetensors', lambda path: save_file(halves, str(path)))
    write_aside(out / 'vae.json', lambda path: path.write_text(json.dumps(facts)))
    print('after', facts, flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:5])
