"""Trains U-Net and text encoder so that it can be cut at any moment and goes on to the same weights.

Everything a step needs follows from its number and the state: which scenes exist by then, the learning rate, and the
random numbers, whose generator is saved with weights, their average and the optimizer's moments. Files are written aside
and renamed, so that a reader never meets half of one.
"""
import json
import os
import time
from dataclasses import asdict, dataclass

import torch
from safetensors.torch import save_file

from trainer.muon import Muon
from trainer.networks import PARTS, Networks, halves
from trainer.scenes import CHUNK
from trainer.team import Team


@dataclass(frozen=True)
class Plan:
    """What a training is; a run keeps the one it began with."""

    batch: int = 64
    pictures: int = 3_000_000
    rate: float = 2e-3
    warm_up: int = 200
    # The last share of the pictures, over which the rate falls to nothing.
    cooling: float = 0.25
    # Chunks of scenes at the first step, at the last, and steps that each new one is trained on for.
    first_chunks: int = 40
    last_chunks: int = 400
    steps_a_chunk: int = 30
    average: float = 0.9985
    # min-SNR weights (Hang et al. 2023) of the loss.
    gamma: float = 5.0
    empty_share: float = 0.1

    @property
    def steps(self):
        return self.pictures // self.batch

    def chunks_at(self, step):
        return min(self.first_chunks + step // self.steps_a_chunk, self.last_chunks)

    def rate_at(self, step):
        left = (self.steps - step) / (self.cooling * self.steps)
        return self.rate * min((step + 1) / self.warm_up, 1, max(left, 0))


def signal_shares():
    """ᾱ of SD 1.x's schedule, [1000]."""
    betas = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def write_aside(path, write):
    aside = path.with_name(path.name + '.new')
    write(aside)
    os.replace(aside, path)


class Trainer:
    """One run's training. `scenes` offers ensure(chunks), latents and tokens by chunk, and tests()."""

    def __init__(self, folder, shape, plan, scenes, weights=None, team=Team()):
        self.folder, self.shape, self.plan, self.scenes, self.team = folder, shape, plan, scenes, team
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(1)
        self.networks = Networks(shape)
        if weights:
            self.networks.load_parts(weights)
        self.live = [p for p in self.networks.state_dict().values() if p.is_floating_point()]
        self.average = [p.detach().clone() for p in self.live]
        self.optimizer = Muon(self.networks.named_parameters(), team)
        self.random = torch.Generator().manual_seed(2)
        self.step, self.seconds = 0, 0.0
        self.signal = signal_shares()
        snr = self.signal / (1 - self.signal)
        self.weight = snr.clamp(max=plan.gamma) / snr
        if (folder / 'state.pt').exists():
            self.resume()

    def batch(self):
        """Latents, caption tokens (one in ten empty), timesteps stratified over the batch, and noise."""
        size, count = self.plan.batch, self.plan.chunks_at(self.step)
        self.have(count)
        picks = torch.randint(count * CHUNK, (size,), generator=self.random)
        said = torch.randint(3, (size,), generator=self.random)
        latents = torch.stack([self.scenes.latents[i // CHUNK][i % CHUNK] for i in picks.tolist()]).float()
        tokens = torch.stack([self.scenes.tokens[i // CHUNK][i % CHUNK, k] for i, k in zip(picks.tolist(), said)]).long()
        empty = torch.rand(size, 1, generator=self.random) < self.plan.empty_share
        nothing = torch.full_like(tokens[0], self.shape.end).index_fill(0, torch.tensor([0]), self.shape.start)
        strata = torch.arange(size) + torch.rand(size, generator=self.random)
        timesteps = (strata / size * 1000).long().clamp(max=999)
        noise = torch.randn(latents.shape, generator=self.random)
        return latents, torch.where(empty, nothing, tokens), timesteps, noise

    def have(self, chunks):
        """The leader draws scenes that are missing, the others read them."""
        if len(self.scenes.latents) >= chunks:
            return
        if self.team.leads:
            self.scenes.ensure(chunks)
        self.team.wait()
        self.scenes.ensure(chunks)

    def losses(self, latents, tokens, timesteps, noise):
        """Mean squared error of each picture's predicted noise."""
        share = self.signal[timesteps].view(-1, 1, 1, 1)
        with torch.autocast('cpu', torch.bfloat16):
            predicted = self.networks(share.sqrt() * latents + (1 - share).sqrt() * noise, timesteps, tokens)
        return (predicted.float() - noise).pow(2).mean((1, 2, 3))

    def train_step(self):
        latents, tokens, timesteps, noise = map(self.team.mine, self.batch())
        losses = self.losses(latents, tokens, timesteps, noise)
        self.networks.zero_grad(set_to_none=True)
        (self.weight[timesteps] * losses).mean().backward()
        self.team.average([p.grad for p in self.networks.parameters() if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        self.optimizer.step(self.plan.rate_at(self.step))
        kept = min(self.plan.average, (1 + self.step) / (20 + self.step))
        torch._foreach_lerp_(self.average, self.live, 1 - kept)
        self.step += 1
        return losses.mean().item()

    @torch.no_grad()
    def measure(self):
        """Loss of the averaged weights on scenes never trained on, timesteps spread evenly."""
        latents, tokens = self.scenes.tests()
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        with self.averaged():
            parts = [self.losses(part, said, torch.arange(len(part)) * 1000 // len(part), its_noise)
                     for part, said, its_noise in zip(*(whole.split(128) for whole in (latents, tokens, noise)))]
        return torch.cat(parts).mean().item()

    def averaged(self):
        return Swapped(self.live, self.average)

    def save(self, report):
        """The state to go on from, the averaged weights in half precision, and what there is to say."""
        state = {'networks': self.networks.state_dict(), 'average': self.average, 'optimizer': self.optimizer.state_dict(),
                 'random': self.random.get_state(), 'step': self.step, 'seconds': self.seconds, 'plan': asdict(self.plan)}
        for part, file in PARTS.items():
            write_aside(self.folder / f'{file}.safetensors', lambda path: self.save_average(getattr(self.networks, part), path))
        write_aside(self.folder / 'facts.json', lambda path: path.write_text(json.dumps({**asdict(self.shape), **report})))
        write_aside(self.folder / 'state.pt', lambda path: torch.save(state, path))

    def save_average(self, module, path):
        with self.averaged():
            save_file(halves(module), str(path))

    def resume(self):
        state = torch.load(self.folder / 'state.pt', weights_only=True)
        if state['plan'] != asdict(self.plan):
            raise ValueError(f"this run was begun with {state['plan']}, asked for {asdict(self.plan)}; use another folder")
        self.networks.load_state_dict(state['networks'])
        torch._foreach_copy_(self.average, state['average'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.random.set_state(state['random'])
        self.step, self.seconds = state['step'], state['seconds']


class Swapped:
    """While it is entered, the live weights are others."""

    def __init__(self, live, others):
        self.live, self.others = live, others

    @torch.no_grad()
    def __enter__(self):
        self.kept = [p.clone() for p in self.live]
        torch._foreach_copy_(self.live, self.others)

    @torch.no_grad()
    def __exit__(self, *_):
        torch._foreach_copy_(self.live, self.kept)


def run(trainer, say, save_every=120, measure_every=600):
    """Trains to the plan's end; saves and measures now and then (seconds). `say` gets a dictionary of what is known."""
    window, measured, saved, loss = [], 0.0, time.time(), None
    while trainer.step < trainer.plan.steps:
        began = time.process_time()
        window.append(trainer.train_step())
        trainer.seconds += time.process_time() - began
        due = trainer.team.leads and (time.time() - saved > save_every or trainer.step == trainer.plan.steps)
        if not due:
            continue
        if time.time() - measured > measure_every or trainer.step == trainer.plan.steps:
            loss, measured = trainer.measure(), time.time()
        speed = len(window) * trainer.plan.batch / (time.time() - saved)
        report = {'step': trainer.step, 'pictures': trainer.step * trainer.plan.batch, 'of': trainer.plan.pictures,
                  'loss': round(sum(window) / len(window), 5), 'loss_on_new_scenes': round(loss, 5),
                  'pictures_a_second': round(speed, 1), 'cpu_hours': round(trainer.seconds / 3600, 2),
                  'hours_to_go': round((trainer.plan.pictures - trainer.step * trainer.plan.batch) / speed / 3600, 1)}
        trainer.save(report)
        say(report)
        window, saved = [], time.time()
