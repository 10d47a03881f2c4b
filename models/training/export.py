"""Writes the model in Hugging Face's ONNX layout, half precision, as `optimum` does with the TorchScript exporter.

    python export.py CHECKPOINT_DIR OUT_DIR     (CHECKPOINT_DIR `random`: fresh weights, to try the layout)

The checkpoint folder holds unet/text_encoder/vae.safetensors, tokenizer/ and facts.json {vocabulary, start, end,
scaling_factor}. Files are written beside OUT_DIR first and moved in when all are complete.
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

import model

OPSET = 17
RANDOM_FACTS = {'vocabulary': 1200, 'start': 1198, 'end': 1199, 'scaling_factor': 1.0}


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
    """Picture to the mean and log-variance of its latent."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        return self.vae.quant_conv(self.vae.encoder(sample))


class Decoder(torch.nn.Module):
    """Latent to picture."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decode(latent_sample, return_dict=False)[0]


def build(facts):
    """(text encoder, U-Net, VAE) with fresh weights."""
    return (model.build_text_encoder(facts['vocabulary'], facts['start'], facts['end']), model.build_unet(),
            model.build_vae(facts['scaling_factor']))


def load(checkpoint: str):
    """Returns (facts, text encoder, U-Net, VAE), float32, from a checkpoint folder or `random`."""
    random = checkpoint == 'random'
    facts = RANDOM_FACTS if random else json.loads((Path(checkpoint) / 'facts.json').read_text())
    torch.manual_seed(0)
    modules = build(facts)
    for name, module in zip(('text_encoder', 'unet', 'vae'), modules):
        if not random:
            model.load_weights(module, Path(checkpoint) / f'{name}.safetensors')
        module.eval().requires_grad_(False)
    return facts, *modules


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


def write_model(facts, text, unet, vae, out: Path) -> None:
    """Writes the four graphs with their configurations."""
    half = torch.float16
    ids = torch.full((2, model.TOKENS), facts['end'], dtype=torch.int64)
    ids[:, 0] = facts['start']
    latent = torch.randn(2, 4, model.LATENT, model.LATENT, dtype=half)
    context = torch.randn(2, model.TOKENS, model.WIDTH, dtype=half)
    export_graph(TextEncoder(text.half()).eval(), {'input_ids': ids}, ['last_hidden_state', 'pooler_output'],
                 out / 'text_encoder/model.onnx')
    halve_attention_mask(out / 'text_encoder/model.onnx')
    export_graph(UNet(unet.half()).eval(), {'sample': latent, 'timestep': torch.tensor([10, 500]),
                                            'encoder_hidden_states': context}, ['out_sample'], out / 'unet/model.onnx')
    picture = torch.randn(2, 3, model.PICTURE, model.PICTURE, dtype=half)
    export_graph(Encoder(vae.half()).eval(), {'sample': picture}, ['latent_parameters'], out / 'vae_encoder/model.onnx')
    export_graph(Decoder(vae).eval(), {'latent_sample': latent}, ['sample'], out / 'vae_decoder/model.onnx')
    text.config.save_pretrained(out / 'text_encoder')
    unet.save_config(out / 'unet')
    vae.save_config(out / 'vae_encoder')
    vae.save_config(out / 'vae_decoder')
    model.build_scheduler().save_config(out / 'scheduler')
    leave_spacing_open(out / 'scheduler/scheduler_config.json')
    write_index(out)


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


def main(checkpoint: str, out: str) -> None:
    target = Path(out).resolve()
    temporary = target.with_name(target.name + '.new')
    shutil.rmtree(temporary, ignore_errors=True)
    facts, text, unet, vae = load(checkpoint)
    write_model(facts, text, unet, vae, temporary)
    tokenizer = Path(checkpoint) / 'tokenizer'
    if tokenizer.is_dir():
        shutil.copytree(tokenizer, temporary / 'tokenizer')
    strip_local_paths(temporary)
    move_in(temporary, target)


if __name__ == '__main__':
    main(*sys.argv[1:3])
