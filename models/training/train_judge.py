"""Trains the judge (judge.py) on scenes of the sticker world.

    python train_judge.py RUN_DIR MINUTES       (may be ended and begun again)

Reads the sets `trained` and `others` that draw_judged.py wrote into RUN_DIR (NAME-pictures.npy, NAME-labels.npy,
NAME-tokens.npy). `trained` scenes have captions; in `others` every sticker is equally frequent: what likeness means should not
depend on knowing the thing's name. Three losses: InfoNCE of picture and caption, InfoNCE of
two scenes of one sticker, cross-entropy of the heads. RUN_DIR/judge.pt gets the moving average of the weights.
"""
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tokenizers import Tokenizer

import judge
from draw_judged import GROUNDS, LABELS, WORDS
from trainer.light_vae import planes
from trainer.loop import write_aside
from world import scene
from world.canvas import SIDE

# Stickers a step, each in two scenes.
PAIRS, OTHER_PAIRS = 128, 48
RATE = 2e-3
WARM_UP = 150
AVERAGE = 0.998
SHOW, SAVE = 20, 120
HEADS = {'subject': len(WORDS), 'ground': len(GROUNDS), 'treatment': 1 + len(scene.TREATMENTS), 'count': 3}
STICKER = LABELS.index('sticker')


class Scenes:
    """One drawn set, and pairs of scenes of one sticker from it."""

    def __init__(self, run, name):
        self.pictures = np.load(run / f'{name}-pictures.npy', 'r')
        self.labels = torch.from_numpy(np.load(run / f'{name}-labels.npy').astype(np.int64))
        self.tokens = torch.from_numpy(np.load(run / f'{name}-tokens.npy').astype(np.int64))
        order = torch.argsort(self.labels[:, STICKER], stable=True)
        _, counts = torch.unique_consecutive(self.labels[order, STICKER], return_counts=True)
        self.scenes_of = [scenes for scenes in order.split(counts.tolist()) if len(scenes) > 1]

    def pairs(self, n):
        """Indices [2n]: two scenes of each of n different stickers, first all firsts."""
        chosen = torch.randperm(len(self.scenes_of))[:n].tolist()
        two = torch.stack([self.scenes_of[i][torch.randperm(len(self.scenes_of[i]))[:2]] for i in chosen])
        return two.T.reshape(-1)

    def read(self, index):
        """Pictures [N,3,128,128] in -1..1."""
        return planes(np.ascontiguousarray(self.pictures[index.numpy()]))


def augment(x):
    """Flips, shifts, changes light and colour a little, and blurs half the batch as a small autoencoder would."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    i, j = torch.randint(0, 9, (2,)).tolist()
    x = F.pad(x, (4, 4, 4, 4), mode='replicate')[:, :, i:i + x.shape[2], j:j + x.shape[3]]
    x = x * (1 + 0.1 * torch.randn(len(x), 1, 1, 1)) + 0.06 * torch.randn(len(x), 3, 1, 1)
    blurred, side = torch.rand(len(x)) < 0.5, int(torch.randint(3 * SIDE // 8, 3 * SIDE // 4, (1,)))
    small = F.interpolate(x[blurred], (side, side), mode='bilinear', antialias=True)
    x[blurred] = F.interpolate(small, x.shape[2:], mode='bicubic')
    return (x + 0.03 * torch.randn_like(x)).clamp(-1, 1)


def contrast(logits, positive):
    """InfoNCE: mean over rows of the negative log-probability of the columns that belong to them."""
    return -((F.log_softmax(logits, 1) * positive).sum(1) / positive.sum(1)).mean()


def losses(encoders, scales, trained, others):
    """[3]: picture and caption, two scenes of one sticker, heads."""
    (image, text), (prompt_scale, likeness_scale) = encoders, scales.exp().clamp(max=60)
    a, b = trained.pairs(PAIRS), others.pairs(OTHER_PAIRS)
    pictures = augment(torch.cat([trained.read(a), others.read(b)])).contiguous(memory_format=torch.channels_last)
    labels, tokens = torch.cat([trained.labels[a], others.labels[b]]), trained.tokens[a]
    with torch.autocast('cpu', torch.bfloat16):
        prompt, likeness, *heads = image(pictures)
        said = text(tokens)
    prompt, likeness, said = (F.normalize(x.float(), dim=1) for x in (prompt[:len(a)], likeness, said))
    same_words = (tokens[:, None] == tokens[None]).all(2).float()
    cosines = prompt_scale * prompt @ said.T
    caption = (contrast(cosines, same_words) + contrast(cosines.T, same_words)) / 2
    itself = torch.eye(len(labels), dtype=torch.bool)
    same_sticker = (labels[:, None, STICKER] == labels[None, :, STICKER]) & ~itself
    scene = contrast((likeness_scale * likeness @ likeness.T).masked_fill(itself, -1e4), same_sticker.float())
    named = sum(F.cross_entropy(logits.float(), labels[:, LABELS.index(name)], ignore_index=-1)
                for name, logits in zip(HEADS, heads))
    return torch.stack([caption, scene, named])


class Training:
    """Encoders, the moving average of their weights, and the optimizer, as far as they have come."""

    def __init__(self, run, facts):
        self.run, self.facts, self.state = run, facts, run / 'judge-state.pt'
        self.encoders = judge.build(facts)
        self.scales = torch.nn.Parameter(torch.full((2,), math.log(12)))
        self.weights = [*self.encoders[0].parameters(), *self.encoders[1].parameters()]
        self.optimizer = torch.optim.AdamW([*self.weights, self.scales], RATE, betas=(0.9, 0.99), weight_decay=0.02, fused=True)
        self.average = [w.detach().clone() for w in self.weights]
        self.steps, self.spent = 0, 0.0
        if self.state.exists():
            self.resume()

    @torch.no_grad()
    def resume(self):
        state = torch.load(self.state)
        for weight, kept in zip([*self.weights, self.scales], state['weights']):
            weight.copy_(kept)
        self.optimizer.load_state_dict(state['optimizer'])
        self.average, self.steps, self.spent = state['average'], state['steps'], state['spent']

    def save(self):
        state = {'weights': [w.detach() for w in (*self.weights, self.scales)], 'optimizer': self.optimizer.state_dict(),
                 'average': self.average, 'steps': self.steps, 'spent': self.spent}
        write_aside(self.state, lambda path: torch.save(state, path))

    def step(self, trained, others, budget):
        """The three losses; the rate falls as a cosine over the budget (seconds)."""
        started = time.time()
        rate = RATE * min((self.steps + 1) / WARM_UP, 0.01 + 0.99 * (1 + math.cos(math.pi * self.spent / budget)) / 2)
        for group in self.optimizer.param_groups:
            group['lr'] = rate
        parts = losses(self.encoders, self.scales, trained, others)
        self.optimizer.zero_grad()
        parts.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        decay = min(AVERAGE, (1 + self.steps) / (20 + self.steps))
        torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 - decay)
        self.steps += 1
        self.spent += time.time() - started
        return parts.tolist()

    @torch.no_grad()
    def finish(self):
        """Writes the averaged weights."""
        for weight, mean in zip(self.weights, self.average):
            weight.copy_(mean)
        torch.save({'facts': self.facts, 'weights': [e.state_dict() for e in self.encoders], 'steps': self.steps,
                    'pictures': 2 * self.steps * (PAIRS + OTHER_PAIRS), 'seconds': self.spent}, self.run / 'judge.pt')


def main(run, minutes):
    os.nice(19)
    torch.manual_seed(int(time.time()))
    run, budget = Path(run), float(minutes) * 60
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    facts = {'heads': HEADS, 'vocabulary': tokenizer.get_vocab_size(),
             'start': tokenizer.token_to_id('<|startoftext|>'), 'end': tokenizer.token_to_id('<|endoftext|>')}
    training, trained, others = Training(run, facts), Scenes(run, 'trained'), Scenes(run, 'others')
    shown, saved, window = time.time(), time.time(), []
    while training.spent < budget:
        window.append(training.step(trained, others, budget))
        if time.time() - saved > SAVE:
            training.save()
            saved = time.time()
        if time.time() - shown > SHOW:
            print(training.steps, f'{training.spent:.0f}s', np.mean(window, 0).round(3), flush=True)
            shown, window = time.time(), []
    training.finish()


if __name__ == '__main__':
    main(*sys.argv[1:3])
