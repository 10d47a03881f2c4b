"""NeTI's mapper for several concepts at once: every trained tensor has the concept as its first axis.

What is computed, names and initialisation are those of src/neti/mapper.ts and encoding.ts, the official implementation's. All
concepts read the same frozen frequencies.
"""
import math

import torch
from torch.nn.functional import layer_norm, leaky_relu

ANCHORS, HIDDEN, FEATURES, SIGMAS = 10, 128, 1024, (0.03, 2.0)
TIMESTEPS = 1000


def encode(frequencies, timesteps, layers):
    """Fourier features [..., 2F] of timesteps and layers [...], from w [F, 2]; angles reach ±120, so in float64."""
    pairs = torch.stack([timesteps, layers], -1).double()
    angles = pairs @ frequencies.double().T
    return (torch.cat([angles.sin(), angles.cos()], -1) / math.sqrt(len(frequencies))).float()


def official_start(random, layers, width):
    """(frequencies w [F, 2], trained tensors by name) as a training begins without a start of its own."""
    def linear(outputs, inputs):
        bound = 1 / math.sqrt(inputs)
        return [torch.empty(shape).uniform_(-bound, bound, generator=random) for shape in ((outputs, inputs), (outputs,))]

    frequencies = torch.randn(FEATURES, 2, generator=random) * torch.tensor(SIGMAS)
    anchors = torch.cartesian_prod(torch.arange(0, TIMESTEPS, TIMESTEPS // ANCHORS), torch.arange(layers))
    weights = {'input_layer.weight': encode(frequencies, anchors[:, 0], anchors[:, 1]),
               'input_layer.bias': linear(ANCHORS * layers, 2 * FEATURES)[1]}
    for name, sizes in (('net.1', (HIDDEN, ANCHORS * layers)), ('net.4', (HIDDEN, HIDDEN)), ('output_layer.0', (2 * width, HIDDEN))):
        weights[f'{name}.weight'], weights[f'{name}.bias'] = linear(*sizes)
    for name in ('net.2', 'net.5'):
        weights[f'{name}.weight'], weights[f'{name}.bias'] = torch.ones(HIDDEN), torch.zeros(HIDDEN)
    return frequencies, weights


def forward(weights, encoded, keep, scales):
    """Vectors v_base and v_bypass [M, R, D] of M concepts.

    `weights` [M, …] by name, `encoded` [M, R, 2F], `keep` [M, R] hidden units kept, `scales` [M] norms of the output rows.
    """
    def linear(name, x):
        return torch.baddbmm(weights[f'{name}.bias'][:, None], x, weights[f'{name}.weight'].transpose(1, 2))

    def block(name, norm, x):
        normed = layer_norm(linear(name, x), (HIDDEN,))
        return leaky_relu(normed * weights[f'{norm}.weight'][:, None] + weights[f'{norm}.bias'][:, None])

    hidden = block('net.4', 'net.5', block('net.1', 'net.2', linear('input_layer', encoded)))
    kept = hidden * (torch.arange(HIDDEN) < keep[..., None])
    out = linear('output_layer.0', kept)
    return (out / out.norm(dim=-1, keepdim=True) * scales[:, None, None]).chunk(2, -1)


def nested_dropout(random, concepts, layers, pictures, probability=0.5, together=2):
    """Hidden units kept [M, L · B]: one coin for each (layer, pair of pictures), then k uniform a row (src/neti/nestedDropout.ts)."""
    coins = torch.rand(concepts, layers, pictures // together, 1, generator=random) < probability
    k = torch.randint(HIDDEN, (concepts, layers, pictures // together, together), generator=random)
    return torch.where(coins, k, HIDDEN).reshape(concepts, -1)
