"""Trains U-Net and text encoder together on the latents, epsilon prediction, until a given time; resumes by itself.

    python train.py RUN_DIR MINUTES [RATE]

Without a state.pt, the weights that checkpoint.py wrote are trained further, best with a smaller RATE.
Reads latents.npy and tokens.npy. Loss: MSE of the noise with min-SNR weights (gamma 5); one caption in ten is replaced
by the empty one. AdamW, warm-up then cosine over the whole time. Every SAVE seconds RUN_DIR gets state.pt (to resume)
and unet/text_encoder.safetensors with facts.json: the moving average of the weights, half precision, ready to export.
"""
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import save_file
from tokenizers import Tokenizer

import model

BATCH = 128
RATE = 1.2e-3
WARM_UP = 200
SAVE = 180
GAMMA = 5.0
AVERAGE, AVERAGE_EVERY = 0.995, 5


class Networks(torch.nn.Module):
    """U-Net and text encoder as one module: token ids and noisy latents to the predicted noise."""

    def __init__(self, facts):
        super().__init__()
        self.unet = model.build_unet()
        self.text = model.build_text_encoder(facts['vocabulary'], facts['start'], facts['end'])
        # Plain attention: PyTorch's fused CPU kernel is the slowest part of a step at these sizes.
        self.unet.set_attn_processor(AttnProcessor())
        self.text.set_attn_implementation('eager')

    def forward(self, noisy, timesteps, tokens):
        return self.unet(noisy, timesteps, self.text(input_ids=tokens).last_hidden_state, return_dict=False)[0]


def read_facts(run):
    """Sizes and ids that export needs, from the tokenizer and the VAE."""
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    vae = json.loads((run / 'vae.json').read_text())
    return {'vocabulary': tokenizer.get_vocab_size(), 'start': tokenizer.token_to_id('<|startoftext|>'),
            'end': tokenizer.token_to_id('<|endoftext|>'), 'scaling_factor': vae['scaling_factor'], 'vae': vae}


class Batches:
    """Random batches of (latents, tokens), with one caption in ten emptied."""

    def __init__(self, run, facts):
        self.latents = torch.from_numpy(np.load(run / 'latents.npy'))
        self.tokens = torch.from_numpy(np.load(run / 'tokens.npy').astype(np.int64))
        self.empty = torch.full((model.TOKENS,), facts['end'])
        self.empty[0] = facts['start']

    def draw(self):
        index = torch.randint(len(self.latents), (BATCH,))
        tokens = self.tokens[index]
        tokens[torch.rand(BATCH) < 0.1] = self.empty
        return self.latents[index].float().to(model.DEVICE), tokens.to(model.DEVICE)


def save(run, networks, average, optimizer, progress, facts):
    """Writes the state to resume from and the averaged weights to export, whole files only."""
    state = {'networks': networks.state_dict(), 'average': average, 'optimizer': optimizer.state_dict(), **progress}
    torch.save(state, run / 'state.new')
    os.replace(run / 'state.new', run / 'state.pt')
    named = dict(zip(networks.state_dict(), average))
    for part, file in (('unet', 'unet'), ('text', 'text_encoder')):
        weights = {k[len(part) + 1:]: v.half() if v.is_floating_point() else v
                   for k, v in named.items() if k.startswith(part + '.')}
        save_file({k: v.contiguous().cpu() for k, v in weights.items()}, str(run / f'{file}.new'))
        os.replace(run / f'{file}.new', run / f'{file}.safetensors')
    (run / 'facts.json').write_text(json.dumps({**facts, **progress}, indent=2) + '\n')


def main(run, minutes, peak=RATE):
    torch.set_num_threads(2)
    torch.manual_seed(int(time.time()))
    run, facts = Path(run), read_facts(Path(run))
    networks, batches = Networks(facts).to(model.DEVICE), Batches(run, facts)
    optimizer = torch.optim.AdamW(networks.parameters(), float(peak), betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    progress = {'step': 0, 'seconds': 0.0, 'pictures': 0}
    if (run / 'unet.safetensors').exists():
        model.load_weights(networks.unet, run / 'unet.safetensors')
        model.load_weights(networks.text, run / 'text_encoder.safetensors')
    average = [p.detach().clone() for p in networks.state_dict().values()]
    if (run / 'state.pt').exists():
        state = torch.load(run / 'state.pt', map_location=model.DEVICE)
        networks.load_state_dict(state['networks'])
        optimizer.load_state_dict(state['optimizer'])
        average, progress = state['average'], {k: state[k] for k in progress}
    live = list(networks.state_dict().values())
    betas = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2
    signal = torch.cumprod(1 - betas, 0).to(model.DEVICE)
    weight = (signal / (1 - signal)).clamp(max=GAMMA) / (signal / (1 - signal))
    forward = torch.compile(networks) if os.environ.get('COMPILE') else networks
    budget, last, window = float(minutes) * 60, time.time(), []
    saved = shown = last
    while progress['seconds'] < budget:
        part = progress['seconds'] / budget
        rate = float(peak) * min((progress['step'] + 1) / WARM_UP, 0.02 + 0.98 * (1 + math.cos(math.pi * part)) / 2)
        for group in optimizer.param_groups:
            group['lr'] = rate
        x, tokens = batches.draw()
        t = torch.randint(1000, (BATCH,), device=model.DEVICE)
        noise = torch.randn_like(x)
        a = signal[t].view(-1, 1, 1, 1)
        with torch.autocast(model.DEVICE, torch.bfloat16):
            guess = forward(a.sqrt() * x + (1 - a).sqrt() * noise, t, tokens)
        losses = (guess.float() - noise).pow(2).mean((1, 2, 3))
        optimizer.zero_grad()
        (weight[t] * losses).mean().backward()
        torch.nn.utils.clip_grad_norm_(networks.parameters(), 1.0)
        optimizer.step()
        if progress['step'] % AVERAGE_EVERY == 0:
            decay = min(AVERAGE, (1 + progress['step']) / (50 + progress['step']))
            floats = [(m, v) for m, v in zip(average, live) if m.is_floating_point()]
            torch._foreach_lerp_([m for m, _ in floats], [v for _, v in floats], 1 - decay)
        now = time.time()
        progress = {'step': progress['step'] + 1, 'pictures': progress['pictures'] + BATCH,
                    # The compiler's first steps are not training time.
                    'seconds': progress['seconds'] + min(now - last, 5.0)}
        last = now
        window.append(losses.mean().item())
        if now - shown > 20:
            speed = len(window) * BATCH / (now - shown)
            print(f"{progress['step']} {progress['seconds']:.0f}s loss {np.mean(window):.4f} {speed:.0f} pictures/s "
                  f'rate {rate:.2e}', flush=True)
            shown, window = now, []
        if now - saved > SAVE:
            save(run, networks, average, optimizer, progress, facts)
            saved = now
    save(run, networks, average, optimizer, progress, facts)


if __name__ == '__main__':
    main(*sys.argv[1:4])
