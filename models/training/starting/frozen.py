"""The frozen base as NeTI's training sees it: the placeholder's vectors go in, the loss of the predicted noise comes out.

Rows are ordered layer by layer as in src/neti/trainer.ts: row = layer · B + picture. The networks compute in bfloat16, losses
in float32.
"""
from pathlib import Path

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch.nn.functional import normalize

import model
from export import load
from goldens import BYPASS_SCALE, SplitContexts, cross_attention_order


class Frozen:
    """Text encoder, U-Net, VAE and noise schedule of a folder that checkpoint.py wrote."""

    def __init__(self, folder):
        self.facts, text, self.unet, self.vae = load(str(Path(folder)))
        text.set_attn_implementation('eager')
        self.text = text.text_model if hasattr(text, 'text_model') else text
        self.embedding = self.text.embeddings.token_embedding.weight
        self.nothing = torch.zeros(1, model.TOKENS, model.WIDTH)
        with torch.no_grad():
            sample = torch.zeros(1, 4, model.LATENT, model.LATENT)
            order = cross_attention_order(self.unet, sample, torch.tensor([0]), self.nothing)
        self.crossed = [SplitContexts(None, None) for _ in order]
        own = {f'{name}.processor': AttnProcessor() for name, _ in self.unet.named_modules() if name.endswith('attn1')}
        self.unet.set_attn_processor(own | {f'{name}.processor': each for name, each in zip(order, self.crossed)})
        schedule = model.build_scheduler()
        self.signal = schedule.alphas_cumprod

    @property
    def layers(self):
        return len(self.crossed)

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
