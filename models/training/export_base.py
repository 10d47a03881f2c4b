"""Writes a run of base.py in Hugging Face's ONNX layout, half precision: the averaged weights as they are now.

    python export_base.py RUN_DIR OUT_DIR

The VAE's graphs end and begin with the space-to-depth that the U-Net's 8×8 cells need, so latents are [B,16,8,8] everywhere
else. Files are written beside OUT_DIR first and moved in when all are complete.
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ['WORLD'] = 'full'

import torch  # noqa: E402  (reads the environment)

import model  # noqa: E402
from export import (TextEncoder, UNet, export_graph, halve_attention_mask, leave_spacing_open, move_in,  # noqa: E402
                    strip_local_paths, write_index)
from trainer.light_vae import load_vae  # noqa: E402
from trainer.networks import from_cells, to_cells  # noqa: E402
from trainer.sheet import load_networks  # noqa: E402

PICTURE, CELLS, CHANNELS = 128, 8, 16


class Encoder(torch.nn.Module):
    """Pictures [B,3,128,128] to mean and log-variance of their cells [B,32,8,8]."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        mean, log_variance = self.vae.encoder(sample).chunk(2, 1)
        return torch.cat([to_cells(mean), to_cells(log_variance)], 1)


class Decoder(torch.nn.Module):
    """Cells [B,16,8,8] to pictures."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decoder(from_cells(latent_sample))


def vae_config(scale):
    """What readers of a diffusers VAE look for; the number of its blocks is how often it halves, plus one."""
    return {'_class_name': 'AutoencoderKL', 'in_channels': 3, 'out_channels': 3, 'latent_channels': CHANNELS,
            'block_out_channels': [16, 64, 192, 192, 192], 'sample_size': PICTURE, 'scaling_factor': scale}


def write_vae(vae, scale, out):
    vae = vae.half().eval()
    picture, cells = torch.randn(2, 3, PICTURE, PICTURE).half(), torch.randn(2, CHANNELS, CELLS, CELLS).half()
    export_graph(Encoder(vae), {'sample': picture}, ['latent_parameters'], out / 'vae_encoder/model.onnx')
    export_graph(Decoder(vae), {'latent_sample': cells}, ['sample'], out / 'vae_decoder/model.onnx')
    for part in ('vae_encoder', 'vae_decoder'):
        (out / part / 'config.json').write_text(json.dumps(vae_config(scale), indent=2) + '\n')


def write_networks(networks, shape, out):
    half = networks.half().eval()
    ids = torch.full((2, shape['tokens']), shape['end']).index_fill(1, torch.tensor([0]), shape['start'])
    export_graph(TextEncoder(half.text), {'input_ids': ids}, ['last_hidden_state', 'pooler_output'],
                 out / 'text_encoder/model.onnx')
    halve_attention_mask(out / 'text_encoder/model.onnx')
    inputs = {'sample': torch.randn(2, CHANNELS, CELLS, CELLS).half(), 'timestep': torch.tensor([10, 500]),
              'encoder_hidden_states': torch.randn(2, shape['tokens'], shape['context']).half()}
    export_graph(UNet(half.unet), inputs, ['out_sample'], out / 'unet/model.onnx')
    half.text.config.save_pretrained(out / 'text_encoder')
    half.unet.save_config(out / 'unet')


def main(run, out):
    run, target = Path(run), Path(out).resolve()
    temporary = target.with_name(target.name + '.new')
    shutil.rmtree(temporary, ignore_errors=True)
    vae, scale = load_vae(run / 'vae')
    shape = json.loads((run / 'unet/facts.json').read_text())
    write_vae(vae, scale, temporary)
    write_networks(load_networks(run / 'unet'), shape, temporary)
    model.build_scheduler().save_config(temporary / 'scheduler')
    leave_spacing_open(temporary / 'scheduler/scheduler_config.json')
    write_index(temporary)
    shutil.copytree(run / 'tokenizer', temporary / 'tokenizer')
    strip_local_paths(temporary)
    move_in(temporary, target)


if __name__ == '__main__':
    main(*sys.argv[1:3])
