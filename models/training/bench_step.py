"""Part of `npm run bench`: one training step of 8 pictures in PyTorch, float32, two threads, on networks of the shipped base's shapes.

    python bench_step.py MODEL_DIR REPEATS

Prints one JSON object of medians in milliseconds: `batched` asks for all layers and pictures at once, as the studio does; `official`
takes 4 micro-batches of 2 pictures and runs mapper and text encoder once a layer, as the paper's code does. Weights are random: time does not
depend on them.
"""
import json
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import nn

from checkpoint import shape_of_model
from goldens import split_contexts, text_contexts
from trainer.networks import CELLS, Networks

PICTURES, MICRO_BATCHES, ANCHORS, FREQUENCIES, HIDDEN, PLACE = 8, 4, 10, 1024, 128, 5


class Mapper(nn.Module):
    """The paper's mapper (section 4.1) with positional encoding and textual bypass: [R, 2] to [R, D] twice."""

    def __init__(self, layers, width):
        super().__init__()
        self.register_buffer('frequencies', torch.randn(FREQUENCIES, 2) * torch.tensor([0.03, 2.0]))
        hidden = [part for size in (ANCHORS * layers, HIDDEN)
                  for part in (nn.Linear(size, HIDDEN), nn.LayerNorm(HIDDEN), nn.LeakyReLU())]
        self.net = nn.Sequential(nn.Linear(2 * FREQUENCIES, ANCHORS * layers), *hidden, nn.Linear(HIDDEN, 2 * width))

    def forward(self, places):
        angles = places @ self.frequencies.T
        encoded = nn.functional.normalize(torch.cat([angles.sin(), angles.cos()], -1), dim=-1)
        return nn.functional.normalize(self.net(encoded), dim=-1).chunk(2, -1)


class Step:
    """What a step needs, made once."""

    def __init__(self, folder):
        self.shape = shape_of_model(Path(folder))
        networks = Networks(self.shape).eval().requires_grad_(False)
        self.text, self.unet, self.crossed = networks.text, networks.unet, split_contexts(networks.unet, self.shape)
        self.nothing = torch.zeros(1, self.shape.tokens, self.shape.context)
        self.mapper = Mapper(len(self.crossed), self.shape.context)
        self.optimizer = torch.optim.AdamW(self.mapper.parameters(), lr=8e-3)

    def contexts(self, timesteps, layers):
        """Key and value contexts of every pair of a timestep and a layer, layer by layer."""
        rows = torch.cartesian_prod(layers.float(), timesteps.float()).flip(-1)
        mask = nn.functional.one_hot(torch.full((len(rows),), PLACE), self.shape.tokens).float()
        ids = torch.zeros(len(rows), self.shape.tokens, dtype=torch.long)
        return text_contexts(self.text, ids, mask, *self.mapper(rows))

    def learn(self, pictures, together):
        """Adds the gradient of so many pictures."""
        timesteps = torch.randint(1000, (pictures,))
        layers = torch.arange(len(self.crossed))
        if together:
            pairs = zip(*(part.split(pictures) for part in self.contexts(timesteps, layers)))
        else:
            pairs = (self.contexts(timesteps, layer) for layer in layers.split(1))
        for crossed, (keys, values) in zip(self.crossed, pairs):
            crossed.keys, crossed.values = keys, values
        noise = torch.randn(pictures, self.shape.channels, CELLS, CELLS)
        predicted = self.unet(torch.randn_like(noise), timesteps, self.nothing, return_dict=False)[0]
        (nn.functional.mse_loss(predicted, noise) * pictures / PICTURES).backward()

    def __call__(self, micro_batches):
        self.optimizer.zero_grad()
        for _ in range(micro_batches):
            self.learn(PICTURES // micro_batches, together=micro_batches == 1)
        self.optimizer.step()


def milliseconds(action):
    begun = perf_counter()
    action()
    return 1000 * (perf_counter() - begun)


def main(folder, repeats):
    torch.set_num_threads(2)
    step = Step(folder)
    ways = {'batched': 1, 'official': MICRO_BATCHES}
    times = [{name: milliseconds(lambda: step(count)) for name, count in ways.items()} for _ in range(2 + int(repeats))]
    print(json.dumps({name: round(median(each[name] for each in times[2:]), 1) for name in ways}))


if __name__ == '__main__':
    main(*sys.argv[1:3])
