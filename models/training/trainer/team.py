"""Processes that train as one, a thread each: every one takes its share of a batch, and what they found is averaged.

Two threads of one process wait for each other at every operation, two processes only where they share what they found.
"""
import multiprocessing
import os
import tempfile
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Team:
    """The process's place among `size`; alone, it has nobody to wait for."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self):
        return self.rank == 0

    def mine(self, tensor):
        """This process's rows of a batch: every `size`-th."""
        return tensor[self.rank::self.size]

    def average(self, tensors):
        """Replaces each tensor by its mean over the team."""
        if self.size == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        dist.all_reduce(flat)
        parts = flat.div_(self.size).split([t.numel() for t in tensors])
        torch._foreach_copy_(tensors, [part.view_as(t) for part, t in zip(parts, tensors)])

    def divide(self, work, stack):
        """work(stack) along the first axis, each process doing a part."""
        if self.size == 1:
            return work(stack)
        ends = [len(stack) * k // self.size for k in range(self.size + 1)]
        done = torch.empty_like(stack, dtype=torch.bfloat16)
        if ends[self.rank] < ends[self.rank + 1]:
            done[ends[self.rank]:ends[self.rank + 1]] = work(stack[ends[self.rank]:ends[self.rank + 1]])
        for owner in range(self.size):
            if ends[owner] < ends[owner + 1]:
                dist.broadcast(done[ends[owner]:ends[owner + 1]], owner)
        return done

    def wait(self):
        if self.size > 1:
            dist.barrier()


def join(meeting, rank, size, work, arguments):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{meeting}', rank=rank, world_size=size)
    try:
        work(Team(rank, size), *arguments)
    finally:
        dist.destroy_process_group()


def run_together(size, work, *arguments):
    """work(team, *arguments) in `size` processes; this one leads, and the others end with it."""
    if size == 1:
        return work(Team(), *arguments)
    with tempfile.TemporaryDirectory() as folder:
        meeting = os.path.join(folder, 'meeting')
        for rank in range(1, size):
            # A drawing pool of its own is not wanted of a helper, so it may be daemonic.
            multiprocessing.get_context('spawn').Process(
                target=join, args=(meeting, rank, size, work, arguments), daemon=True).start()
        join(meeting, 0, size, work, arguments)
