"""A checkpoint becomes the shipped files and these the same checkpoint again, to the bit."""
import copy

import torch
from safetensors.torch import load_file

import checkpoint
import export


def test_what_ships_can_be_trained_further(tmp_path):
    facts = export.RANDOM_FACTS
    torch.manual_seed(1)
    modules = export.build(facts)
    for module in modules:
        checkpoint.randomize(module)
    export.write_model(facts, *copy.deepcopy(modules), tmp_path / 'model')
    (tmp_path / 'model/tokenizer').mkdir()
    checkpoint.main(tmp_path / 'model', tmp_path)
    for name, module in zip(checkpoint.GRAPHS, modules):
        saved = load_file(str(tmp_path / f'{name}.safetensors'))
        for key, tensor in module.state_dict().items():
            assert torch.equal(saved[key], tensor.half() if tensor.is_floating_point() else saved[key]), key
