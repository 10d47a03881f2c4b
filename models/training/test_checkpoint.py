"""A run becomes a model's files and these the same run again, to the bit, and training goes on from it."""
import torch
from safetensors.torch import load_file

import checkpoint
import export
from trainer.light_vae import LightVae, load_vae, save_vae
from trainer.loop import Plan, Trainer
from trainer.networks import Networks, Shape, load_networks, save_networks
from trainer.test_loop import RandomScenes

SHAPE = Shape(vocabulary=60, start=58, end=59, tokens=6, context=16, text_layers=2, widths=(16, 32, 32, 16), groups=8)


def random_run(folder):
    """A run's folder with weights of its own."""
    torch.manual_seed(1)
    networks, vae = Networks(SHAPE), LightVae()
    for module in (networks, vae):
        checkpoint.randomize(module)
    save_networks(networks, SHAPE, folder / 'unet')
    save_vae(vae, {'scaling_factor': 0.9}, folder / 'vae')
    (folder / 'tokenizer').mkdir()
    (folder / 'tokenizer/tokenizer.json').write_text('{}')


def test_what_ships_can_be_trained_further(tmp_path):
    run, model, again = tmp_path / 'run', tmp_path / 'model', tmp_path / 'again'
    random_run(run)
    export.main(run, model)
    checkpoint.main(model, again)
    for file in ('unet/unet', 'unet/text_encoder', 'vae/vae'):
        before, after = (load_file(str(folder / f'{file}.safetensors')) for folder in (run, again))
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before), file
    assert (again / 'unet/facts.json').read_text() == (run / 'unet/facts.json').read_text()
    assert load_vae(again / 'vae')[1] == 0.9 and (again / 'tokenizer/tokenizer.json').exists()
    trainer = Trainer(tmp_path / 'on', SHAPE, Plan(batch=2, pictures=20), RandomScenes(), again / 'unet')
    for name, tensor in load_networks(run / 'unet').state_dict().items():
        assert torch.equal(trainer.networks.state_dict()[name], tensor), name
