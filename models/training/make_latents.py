"""Draws captioned scenes once and keeps only their latents, so that the U-Net's training never waits for pictures.

    python make_latents.py STICKERS RUN_DIR COUNT

RUN_DIR holds vae.safetensors, vae.json and tokenizer/; it gets latents.npy (float16 [COUNT,4,8,8], scaled means) and
tokens.npy (int16 [COUNT,20]).
"""
import json
import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

import captions
import model
import world
from tokenizer import encode
from train_vae import tensor

CHUNK = 500


def scenes(job):
    """(pictures uint8 [CHUNK,64,64,3], captions) of one chunk; each subject is equally frequent."""
    folder, seed = job
    stickers, backgrounds, rng = world.Stickers(folder), world.Backgrounds(), np.random.default_rng(1000 + seed)
    by_subject = {}
    for s in stickers.trained:
        by_subject.setdefault(stickers.rows[s]['hex'], []).append(s)
    groups = list(by_subject.values())
    pictures, sentences = [], []
    for _ in range(CHUNK):
        s = captions.pick(rng, groups[rng.integers(len(groups))])
        d = world.describe(rng, s)
        pictures.append(world.draw(stickers, backgrounds, d, rng))
        sentences.append(captions.caption(rng, d, stickers.rows[s]))
    return np.stack(pictures), sentences


def main(folder, run, count):
    run = Path(run)
    vae = model.build_vae()
    model.load_weights(vae, run / 'vae.safetensors')
    scale = json.loads((run / 'vae.json').read_text())['scaling_factor']
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    torch.set_num_threads(1)
    latents, tokens = [], []
    with Pool(2) as pool, torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        for pictures, sentences in pool.imap(scenes, [(folder, i) for i in range(int(count) // CHUNK)]):
            z = torch.cat([vae.encode(part).latent_dist.mode() for part in tensor(pictures).split(100)])
            latents.append((z.float() * scale).half().numpy())
            tokens.append(np.array(encode(tokenizer, sentences), np.int16))
    np.save(run / 'latents.npy', np.concatenate(latents))
    np.save(run / 'tokens.npy', np.concatenate(tokens))


if __name__ == '__main__':
    main(*sys.argv[1:4])
