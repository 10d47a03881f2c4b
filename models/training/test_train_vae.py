"""The VAE's training with a tiny budget: it learns, and what it writes is read back."""
import os

import numpy as np
import pytest
import torch

import train_vae
from trainer.light_vae import LightVae, load_vae, planes, save_vae


def noise(count):
    """Pictures of coarse noise, uint8 [count,128,128,3]."""
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8).repeat(32, 1).repeat(32, 2)


def test_changed_pictures_stay_pictures():
    torch.manual_seed(0)
    x = planes(noise(32))
    changed = train_vae.widened(x)
    assert changed.shape == x.shape and changed.abs().max() <= 1
    assert (changed - x).abs().mean() > 0.1


def test_a_few_steps_lower_the_loss_and_what_is_written_is_read_back(tmp_path):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    vae, pool = LightVae(), noise(8)
    x = planes(pool)
    before = train_vae.loss_of(vae, x)[0].item()
    train_vae.train(vae, pool, 12)
    assert train_vae.loss_of(vae, x)[0].item() < before
    facts = train_vae.measure(vae, {'new': pool})
    save_vae(vae, facts, tmp_path)
    read, scale = load_vae(tmp_path)
    assert scale == facts['scaling_factor'] and facts['psnr new'] > 0
    assert (read.mean(x) - vae.mean(x)).abs().max() < 0.02


def test_the_pool_and_the_tests_are_drawn_from_their_own_stickers(monkeypatch):
    if 'STICKERS' not in os.environ:
        pytest.skip('set STICKERS to the folder that `pack-stickers.mjs world` wrote')
    monkeypatch.setattr(train_vae, 'TESTS', {'new': ('trained', 2), 'held': ('held_out', 2)})
    monkeypatch.setattr(train_vae, 'CHUNK', 2)
    assert train_vae.pool_of(os.environ['STICKERS'], 5).shape == (5, 128, 128, 3)
    assert {name: len(pictures) for name, pictures in train_vae.tests_of(os.environ['STICKERS']).items()} == {'new': 2, 'held': 2}
