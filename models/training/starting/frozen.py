"""The frozen base as NeTI's training sees it: the placeholder's vectors go in, the loss of the predicted noise comes out.

Rows are ordered layer by layer as in src/neti/trainer.ts: row = layer · B + picture. The networks compute in bfloat16, losses
in float32. Latents are the cells [B,16,8,8] that ship.
"""
from pathlib import Path

import torch
from torch.nn.functional import normalize

from export import Encoder
from goldens import BYPASS_SCALE, split_contexts
from trainer.light_vae import load_vae
from trainer.networks import build_scheduler, load_networks, shape_in


class Frozen:
    """Text encoder, U-Net, VAE and noise schedule of a run's folder (checkpoint.py)."""

    def __init__(self, run):
        networks, self.shape = load_networks(Path(run) / 'unet'), shape_in(Path(run) / 'unet')
        vae, self.scale = load_vae(Path(run) / 'vae')
        self.unet, self.vae = networks.unet, Encoder(vae)
        self.text = networks.text.text_model if hasattr(networks.text, 'text_model') else networks.text
        self.embedding = self.text.embeddings.token_embedding.weight
        self.nothing = torch.zeros(1, self.shape.tokens, self.shape.context)
        self.crossed = split_contexts(self.unet, self.shape)
        self.signal = build_scheduler().alphas_cumprod

    @property
    def layers(self):
        return len(self.crossed)

    def moments(self, pictures):
        """Mean and log-variance [n,2,16,8,8] of pictures [n,3,128,128]."""
        return self.vae(pictures).unflatten(1, (2, -1))

    def contexts(self, ids, places, base, bypass):
        """Key and value contexts [R, T, D] of prompts `ids` [R, T] whose placeholders, at `places` [R], are vectors [R, D]."""
        rows, norm = torch.arange(len(ids)), self.text.final_layer_norm
        embedded = self.embedding[ids].index_put((rows, places), base)
        states = []
        hooks = [self.text.embeddings.token_embedding.register_forward_hook(lambda *_: embedded),
                 norm.register_forward_pre_hook(lambda _, inputs: states.append(inputs[0]))]
        self.text(input_ids=ids)
        for hook in hooks:
            hook.remove()
        hidden = states[0].float()
        at = hidden[rows, places]
        moved = at + BYPASS_SCALE * normalize(bypass, dim=-1) * at.norm(dim=-1, keepdim=True)
        return norm(hidden), norm(hidden.index_put((rows, places), moved))

    def losses(self, latents, noise, timesteps, keys, values):
        """Mean squared error [B] of the noise predicted with contexts [L · B, T, D]."""
        for layer, crossed in enumerate(self.crossed):
            rows = slice(layer * len(latents), (layer + 1) * len(latents))
            crossed.keys, crossed.values = keys[rows], values[rows]
        share = self.signal[timesteps].view(-1, 1, 1, 1)
        noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
        predicted = self.unet(noisy, timesteps, self.nothing, return_dict=False)[0]
        return (predicted.float() - noise).pow(2).mean((1, 2, 3))
