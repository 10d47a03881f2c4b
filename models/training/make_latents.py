"""Encodes the training pictures with the trained VAE.

    python make_latents.py RUN_DIR

Reads pictures.npy, vae.safetensors and vae.json; RUN_DIR gets latents.npy (float16 [COUNT,4,LATENT,LATENT], scaled means).
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

import model
from train_vae import tensor


def main(run):
    run, vae = Path(run), model.build_vae().to(model.DEVICE)
    model.load_weights(vae, run / 'vae.safetensors')
    scale = json.loads((run / 'vae.json').read_text())['scaling_factor']
    pictures = np.load(run / 'pictures.npy', 'r')
    latents = []
    with torch.no_grad(), torch.autocast(model.DEVICE, torch.bfloat16):
        for i in range(0, len(pictures), 100):
            z = vae.encode(tensor(pictures[i:i + 100])).latent_dist.mode()
            latents.append((z.float() * scale).half().cpu().numpy())
    np.save(run / 'latents.npy', np.concatenate(latents))


if __name__ == '__main__':
    main(sys.argv[1])
