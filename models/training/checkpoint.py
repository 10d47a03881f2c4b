"""Turns the shipped files back into a checkpoint, so that training can go on from what ships.

    python checkpoint.py MODEL_DIR RUN_DIR

RUN_DIR gets unet/text_encoder/vae.safetensors, facts.json, vae.json and tokenizer/. The exporter renames and transposes
weights, so modules of random weights are exported the same way first: their values tell which weight stands under which name.
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
from safetensors.torch import save_file

import export
import model

GRAPHS = {'text_encoder': ('text_encoder',), 'unet': ('unet',), 'vae': ('vae_encoder', 'vae_decoder')}


def weights_of(path: Path) -> dict:
    """{name: array} of a graph's weights."""
    return {w.name: numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}


def randomize(module) -> None:
    """Gives every weight values of its own, which tell it from the others."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()


def fill(module, random: dict, shipped: dict) -> int:
    """Sets the weights of `module` that are found in `random` to what `shipped` has there; returns how many."""
    names, found = {array.tobytes(): name for name, array in random.items()}, 0
    for parameter in module.parameters():
        own = parameter.detach().half()
        straight, turned = names.get(own.numpy().tobytes()), own.ndim == 2 and names.get(own.T.numpy().tobytes())
        if straight or turned:
            there = torch.from_numpy(shipped[straight or turned].astype(np.float32))
            parameter.data = there.reshape(own.shape) if straight else there.T
            found += 1
    return found


def facts_of(folder: Path) -> dict:
    """What export.py needs to know, from the configurations."""
    text, vae = (json.loads((folder / part / 'config.json').read_text()) for part in ('text_encoder', 'vae_decoder'))
    return {'vocabulary': text['vocab_size'], 'start': text['bos_token_id'], 'end': text['eos_token_id'],
            'scaling_factor': vae['scaling_factor']}


def main(folder: str, run: str) -> None:
    folder, run = Path(folder), Path(run)
    facts = facts_of(folder)
    modules = export.build(facts)
    for module in modules:
        randomize(module)
    with tempfile.TemporaryDirectory() as temporary:
        export.write_model(facts, *copy.deepcopy(modules), Path(temporary))
        for (name, graphs), module in zip(GRAPHS.items(), modules):
            found = sum(fill(module, weights_of(Path(temporary, graph, 'model.onnx')),
                             weights_of(folder / graph / 'model.onnx')) for graph in graphs)
            expected = len(list(module.parameters()))
            if found != expected:
                raise SystemExit(f'Expected {expected} weights of {name}, found {found}: export.py of another version wrote it.')
            save_file({k: v.half().contiguous() for k, v in module.state_dict().items()}, str(run / f'{name}.safetensors'))
    (run / 'facts.json').write_text(json.dumps(facts) + '\n')
    (run / 'vae.json').write_text(json.dumps({'scaling_factor': facts['scaling_factor']}) + '\n')
    shutil.copytree(folder / 'tokenizer', run / 'tokenizer', dirs_exist_ok=True)


if __name__ == '__main__':
    main(*sys.argv[1:3])
