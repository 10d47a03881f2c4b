"""Meta-training the start: Reptile (Nichol et al. 2018), over trainings as the page does them.

First one mapper learns all concepts together, which is what they have in common. Then an outer step teaches M concepts from the
same start, the last steps of each on scenes that the concept will be asked for, with true captions; the start moves towards the mean of
what was learned, by a share that falls to nothing. Can be cut at any moment: start, random numbers and position are saved together.
"""
import json
import time
from dataclasses import asdict, dataclass

import torch

from starting import mappers
from starting.lesson import Lesson, optimizer_of
from trainer.loop import write_aside


@dataclass(frozen=True)
class Plan:
    """What a run is; it keeps the one that it began with."""

    # Steps of one mapper for all concepts.
    together: int = 60
    outer_steps: int = 420
    concepts: int = 4
    # Steps on the given pictures, then on those asked for.
    steps: int = 10
    practice: int = 3
    # Tasks that there are; they come round again.
    tasks: int = 320
    # The share of the way to the mean of what was learned, at first.
    share: float = 1.0
    seed: int = 1

    @property
    def all_steps(self):
        return self.together + self.outer_steps

    def left(self, step):
        return (self.all_steps - step) / self.outer_steps


class MetaTraining:
    """`chunks` offers take(first, count) (tasks.py)."""

    def __init__(self, folder, plan, school_of, layers, width, chunks):
        self.folder, self.plan, self.chunks = folder, plan, chunks
        folder.mkdir(parents=True, exist_ok=True)
        self.random = torch.Generator().manual_seed(plan.seed)
        self.frequencies, self.start = mappers.official_start(self.random, layers, width)
        self.outer = optimizer_of(self.start)
        self.step = 0
        if (folder / 'state.pt').exists():
            self.resume()
        self.school = school_of(self.frequencies)

    def train_step(self):
        """The next step, together or outer; losses of its first and its last inner step."""
        losses = self.step_together() if self.step < self.plan.together else self.outer_step()
        self.step += 1
        return losses[0], losses[-1]

    def take(self, concepts):
        return self.chunks.take(self.step * concepts % self.plan.tasks, concepts)

    def step_together(self):
        """One step on many concepts, in turn on pictures as they are given and as they are asked for."""
        for values in self.start.values():
            values.requires_grad_()
        lesson = Lesson(self.school, self.start, self.take(2 * self.plan.concepts), self.random, shared=self.outer)
        loss = lesson.practise() if self.step % 2 else lesson.step()
        for values in self.start.values():
            values.requires_grad_(False)
        return [loss]

    def outer_step(self):
        plan = self.plan
        lesson = Lesson(self.school, self.start, self.take(plan.concepts), self.random)
        losses = [lesson.step() for _ in range(plan.steps)]
        losses += [lesson.practise() for _ in range(plan.practice)]
        for name, values in self.start.items():
            values.lerp_(lesson.weights[name].detach().mean(0), plan.share * plan.left(self.step))
        return losses

    def save(self):
        state = {'start': self.start, 'frequencies': self.frequencies, 'outer': self.outer.state_dict(), 'random': self.random.get_state(),
                 'step': self.step, 'plan': asdict(self.plan)}
        write_aside(self.folder / 'state.pt', lambda path: torch.save(state, path))

    def resume(self):
        state = torch.load(self.folder / 'state.pt', weights_only=True)
        if state['plan'] != asdict(self.plan):
            raise ValueError(f"this run was begun with {state['plan']}, asked for {asdict(self.plan)}; use another folder")
        for name, values in state['start'].items():
            self.start[name].copy_(values)
        self.frequencies = state['frequencies']
        self.outer.load_state_dict(state['outer'])
        self.random.set_state(state['random'])
        self.step = state['step']


def run(training, save_every=60):
    """To the plan's end, saying how far it is."""
    saved, window = time.time(), []
    while training.step < training.plan.all_steps:
        window.append(training.train_step())
        if time.time() - saved < save_every and training.step < training.plan.all_steps:
            continue
        training.save()
        first, last = (sum(each[i] for each in window) / len(window) for i in (0, 1))
        report = {'at': time.strftime('%T'), 'step': training.step, 'first': round(first, 4), 'last': round(last, 4),
                  'seconds': round((time.time() - saved) / len(window), 1)}
        with open(training.folder / 'log.jsonl', 'a') as log:
            log.write(json.dumps(report) + '\n')
        saved, window = time.time(), []
