"""Writes a run of base.py in Hugging Face's ONNX layout, half precision, as `optimum` does with the TorchScript exporter.

    python export.py RUN_DIR OUT_DIR

Takes the averaged weights as they are now: unet/, vae/ and tokenizer/ of RUN_DIR. The VAE's graphs end and begin with the
space-to-depth that the U-Net's 8×8 cells need, so latents are [B,16,8,8] everywhere else. Files are written beside OUT_DIR first
and moved in when all are complete.
"""
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from trainer.light_vae import load_vae
from trainer.networks import CELLS, CHANNELS, build_scheduler, from_cells, load_networks, shape_in, to_cells
from world.canvas import SIDE

OPSET = 17


class TextEncoder(torch.nn.Module):
    """The text encoder with a plain tuple as output."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids):
        out = self.encoder(input_ids=input_ids)
        return out.last_hidden_state, out.pooler_output


class UNet(torch.nn.Module):
    """The U-Net with a plain tensor as output."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


class Encoder(torch.nn.Module):
    """Pictures [B,3,128,128] to mean and log-variance of their cells, [B,32,8,8]."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        return torch.cat([to_cells(part) for part in self.vae.moments(sample)], 1)


class Decoder(torch.nn.Module):
    """Cells [B,16,8,8] to pictures."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decoder(from_cells(latent_sample))


def export_graph(module, inputs: dict, outputs: list, path: Path) -> None:
    """Traces `module` with a free batch axis into one ONNX file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(inputs)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')
        torch.onnx.export(module, tuple(inputs.values()), str(path), input_names=names, output_names=outputs,
                          dynamic_axes={name: {0: 'batch'} for name in names + outputs},
                          opset_version=OPSET, do_constant_folding=True, dynamo=False)
    onnx.checker.check_model(str(path))


def halve_attention_mask(path: Path) -> None:
    """Makes the text encoder's causal mask half precision like the rest.

    The exporter writes the mask in float32 and lets some weights and the residual stream follow it, which onnxruntime
    refuses. The weights were half precision before, so nothing is lost.
    """
    graph = onnx.load(str(path))
    for weight in graph.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT:
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), weight.name))
    # onnxruntime builds the triangle itself (Expand, Trilu, Equal) in float32 only.
    triangle = {name for node in graph.graph.node if node.op_type in ('Expand', 'Equal') for name in node.input}
    for node in graph.graph.node:
        if node.op_type == 'Constant' and node.output[0] not in triangle:
            value = node.attribute[0].t
            array = numpy_helper.to_array(value)
            if array.dtype == np.float32:
                value.CopyFrom(numpy_helper.from_array(array.clip(-65504, 65504).astype(np.float16)))
        if node.op_type == 'Cast' and node.attribute[0].i == onnx.TensorProto.FLOAT:
            node.attribute[0].i = onnx.TensorProto.FLOAT16
    for output in graph.graph.output:
        output.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    del graph.graph.value_info[:]
    onnx.save(graph, str(path))


def leave_spacing_open(path: Path) -> None:
    """Without a spacing of timesteps in the configuration, each sampler takes its own."""
    config = json.loads(path.read_text())
    del config['timestep_spacing']
    path.write_text(json.dumps(config, indent=2) + '\n')


def write_vae(vae, scale, out: Path) -> None:
    """Both of the VAE's graphs. A reader takes the number of blocks for how often the VAE halves, plus one."""
    vae = vae.half().eval()
    picture, cells = torch.randn(2, 3, SIDE, SIDE).half(), torch.randn(2, CHANNELS, CELLS, CELLS).half()
    export_graph(Encoder(vae), {'sample': picture}, ['latent_parameters'], out / 'vae_encoder/model.onnx')
    export_graph(Decoder(vae), {'latent_sample': cells}, ['sample'], out / 'vae_decoder/model.onnx')
    config = {'_class_name': 'AutoencoderKL', 'in_channels': 3, 'out_channels': 3, 'latent_channels': CHANNELS,
              'block_out_channels': [16, 64, 192, 192, 192], 'sample_size': SIDE, 'scaling_factor': scale}
    for part in ('vae_encoder', 'vae_decoder'):
        (out / part / 'config.json').write_text(json.dumps(config, indent=2) + '\n')


def write_networks(networks, shape, out: Path) -> None:
    """Text encoder and U-Net."""
    half = networks.half().eval()
    ids = torch.full((2, shape.tokens), shape.end).index_fill(1, torch.tensor([0]), shape.start)
    export_graph(TextEncoder(half.text), {'input_ids': ids}, ['last_hidden_state', 'pooler_output'],
                 out / 'text_encoder/model.onnx')
    halve_attention_mask(out / 'text_encoder/model.onnx')
    inputs = {'sample': torch.randn(2, CHANNELS, CELLS, CELLS).half(), 'timestep': torch.tensor([10, 500]),
              'encoder_hidden_states': torch.randn(2, shape.tokens, shape.context).half()}
    export_graph(UNet(half.unet), inputs, ['out_sample'], out / 'unet/model.onnx')
    half.text.config.save_pretrained(out / 'text_encoder')
    half.unet.save_config(out / 'unet')


def write_model(networks, shape, vae, scale, out: Path) -> None:
    """The four graphs with their configurations; `networks` and `vae` become half precision."""
    write_vae(vae, scale, out)
    write_networks(networks, shape, out)
    build_scheduler().save_config(out / 'scheduler')
    leave_spacing_open(out / 'scheduler/scheduler_config.json')
    write_index(out)
    strip_local_paths(out)


def write_index(out: Path) -> None:
    """Names each part's kind."""
    index = {'_class_name': 'OnnxStableDiffusionPipeline', 'text_encoder': ['diffusers', 'OnnxRuntimeModel'],
             'tokenizer': ['transformers', 'CLIPTokenizer'], 'unet': ['diffusers', 'OnnxRuntimeModel'],
             'scheduler': ['diffusers', 'DDIMScheduler'], 'vae_encoder': ['diffusers', 'OnnxRuntimeModel'],
             'vae_decoder': ['diffusers', 'OnnxRuntimeModel'], 'safety_checker': [None, None],
             'feature_extractor': [None, None]}
    (out / 'model_index.json').write_text(json.dumps(index, indent=2) + '\n')


def strip_local_paths(out: Path) -> None:
    """Configurations name the file they came from; a shipped one should not."""
    for path in out.glob('*/config.json'):
        config = {k: v for k, v in json.loads(path.read_text()).items() if k not in ('_name_or_path',)}
        path.write_text(json.dumps(config, indent=2) + '\n')


def move_in(temporary: Path, out: Path) -> None:
    """Replaces each file of `out` by its new version, whole files only."""
    for source in sorted(p for p in temporary.rglob('*') if p.is_file()):
        target = out / source.relative_to(temporary)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
    shutil.rmtree(temporary)


def main(run: str, out: str) -> None:
    run, target = Path(run), Path(out).resolve()
    temporary = target.with_name(target.name + '.new')
    shutil.rmtree(temporary, ignore_errors=True)
    write_model(load_networks(run / 'unet'), shape_in(run / 'unet'), *load_vae(run / 'vae'), temporary)
    shutil.copytree(run / 'tokenizer', temporary / 'tokenizer')
    move_in(temporary, target)


if __name__ == '__main__':
    main(*sys.argv[1:3])
