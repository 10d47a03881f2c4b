"""Turns the shipped files back into a run, so that training can go on from what ships.

    python checkpoint.py MODEL_DIR RUN_DIR        (then base.py OTHER_RUN go --from RUN_DIR/unet)

RUN_DIR gets unet/, vae/ and tokenizer/ as base.py has them. The exporter renames and transposes weights, so modules of random
weights are exported the same way first: their values tell which weight stands under which name.
"""
import copy
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

import export
from trainer.light_vae import LightVae, save_vae
from trainer.networks import Networks, Shape, save_networks


def weights_of(path: Path) -> dict:
    """{name: array} of a graph's weights."""
    return {w.name: numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}


def randomize(module) -> None:
    """Gives every weight values of its own, which tell it from the others."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()


def fill(module, random: dict, shipped: dict) -> None:
    """Sets the weights of `module`, found by their values in `random`, to what `shipped` has there."""
    names = {array.tobytes(): name for name, array in random.items()}
    for own_name, parameter in module.named_parameters():
        own = parameter.detach().half()
        straight, turned = names.get(own.numpy().tobytes()), own.ndim == 2 and names.get(own.T.numpy().tobytes())
        there = shipped.get(straight or turned)
        if there is None or there.size != own.numel():
            raise SystemExit(f'{own_name} was not found: export.py of another version wrote this model.')
        values = torch.from_numpy(there.astype(np.float32))
        parameter.data = values.reshape(own.shape) if straight else values.T


def config_of(folder: Path, part: str) -> dict:
    return json.loads((folder / part / 'config.json').read_text())


def shape_of_model(folder: Path) -> Shape:
    """The shape of the networks that a model folder's configurations name."""
    text, unet = config_of(folder, 'text_encoder'), config_of(folder, 'unet')
    return Shape(vocabulary=text['vocab_size'], start=text['bos_token_id'], end=text['eos_token_id'],
                 tokens=text['max_position_embeddings'], context=text['hidden_size'], text_layers=text['num_hidden_layers'],
                 widths=tuple(unet['block_out_channels']), heads=unet['attention_head_dim'], groups=unet['norm_num_groups'], channels=unet['in_channels'])


def main(folder: str, run: str) -> None:
    folder, run, shape = Path(folder), Path(run), shape_of_model(Path(folder))
    networks, vae = Networks(shape), LightVae()
    for module in (networks, vae):
        randomize(module)
    parts = {'text_encoder': networks.text, 'unet': networks.unet, 'vae_encoder': vae.encoder, 'vae_decoder': vae.decoder}
    with tempfile.TemporaryDirectory() as temporary:
        export.write_model(copy.deepcopy(networks), shape, copy.deepcopy(vae), 1.0, Path(temporary))
        for part, module in parts.items():
            graph = Path(part, 'model.onnx')
            fill(module, weights_of(temporary / graph), weights_of(folder / graph))
    save_networks(networks, shape, run / 'unet')
    save_vae(vae, {'scaling_factor': config_of(folder, 'vae_decoder')['scaling_factor']}, run / 'vae')
    shutil.copytree(folder / 'tokenizer', run / 'tokenizer', dirs_exist_ok=True)


if __name__ == '__main__':
    main(*sys.argv[1:3])
