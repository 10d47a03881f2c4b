"""Teaching M concepts side by side, each as the page teaches one: AdamW on stacked tensors is AdamW on each."""
import torch

from starting import mappers
from starting.tasks import STAND_IN, TEMPLATES, prompt_ids

RATE, BATCH = 8e-3, 4


class School:
    """What does not depend on the concepts: the frozen base, its prompts, the frequencies."""

    def __init__(self, frozen, tokenizer, frequencies):
        self.frozen, self.frequencies = frozen, frequencies
        self.templates = torch.tensor(prompt_ids(tokenizer, TEMPLATES))
        self.stand_in = tokenizer.token_to_id(f'{STAND_IN}</w>')

    def losses(self, weights, scales, latents, noise, timesteps, prompts, keep):
        """Losses [M, B] of latents and noise [M, B, 16, 8, 8] at timesteps [M, B] under prompts [M, B, T]; `keep` [M, L · B]."""
        concepts, pictures = timesteps.shape
        count = self.frozen.layers
        layers = torch.arange(count).repeat_interleave(pictures).expand(concepts, -1)
        encoded = mappers.encode(self.frequencies, timesteps.repeat(1, count), layers)
        base, bypass = (self.by_layer(part, pictures) for part in mappers.forward(weights, encoded, keep, scales))
        ids = prompts.flatten(0, 1).repeat(count, 1)
        places = (ids == self.stand_in).int().argmax(1)
        with torch.autocast('cpu', torch.bfloat16):
            contexts = self.frozen.contexts(ids, places, base, bypass)
            flat = (part.flatten(0, 1) for part in (latents, noise, timesteps))
            return self.frozen.losses(*flat, *contexts).unflatten(0, (concepts, pictures))

    def by_layer(self, vectors, pictures):
        """[M, L · B, D] as [L · M · B, D]."""
        return vectors.unflatten(1, (self.frozen.layers, pictures)).transpose(0, 1).flatten(0, 2)

    def sample(self, moments, random):
        """Latents of moments [..., 2, 16, 8, 8], drawn from the VAE's posterior."""
        mean, spread = moments.float().unbind(-4)
        noise = torch.randn(mean.shape, generator=random)
        return (mean + (0.5 * spread).exp() * noise) * self.frozen.scale


def repeated(weights, concepts):
    """The same tensors for each of M concepts."""
    return {name: values.expand(concepts, *values.shape) for name, values in weights.items()}


def optimizer_of(weights):
    return torch.optim.AdamW(weights.values(), lr=RATE, weight_decay=1e-2, fused=True)


class Lesson:
    """The trainings of M concepts, each from the same start, or `shared`: of one mapper for all of them."""

    def __init__(self, school, start, tasks, random, shared=None):
        self.school, self.tasks, self.random = school, tasks, random
        self.concepts = len(tasks.scales)
        self.weights = repeated(start, self.concepts)
        if shared is None:
            self.weights = {name: values.clone().requires_grad_() for name, values in self.weights.items()}
        self.optimizer = shared or optimizer_of(self.weights)

    def step(self):
        """One step of the page's recipe (src/neti/trainer.ts); returns its mean loss."""
        shape = (self.concepts, BATCH)
        every = torch.arange(self.concepts)[:, None]
        picks, flips, said = (torch.randint(n, shape, generator=self.random)
                              for n in (self.tasks.given.shape[1], 2, len(self.school.templates)))
        pictures = torch.stack([self.tasks.given, self.tasks.mirrored], 1)[every, flips, picks]
        return self.learn(pictures, self.school.templates[said])

    def practise(self):
        """One step on pictures that will be asked for."""
        picks = torch.rand(self.concepts, self.tasks.asked.shape[1], generator=self.random).argsort(1)[:, :BATCH]
        every = torch.arange(self.concepts)[:, None]
        return self.learn(self.tasks.asked[every, picks], self.tasks.prompts[every, picks])

    def learn(self, pictures, prompts):
        loss = self.loss(pictures, prompts)
        self.optimizer.zero_grad()
        (loss * self.concepts).backward()
        self.optimizer.step()
        return loss.item()

    def loss(self, pictures, prompts):
        latents = self.school.sample(pictures, self.random)
        noise = torch.randn(latents.shape, generator=self.random)
        timesteps = torch.randint(mappers.TIMESTEPS, latents.shape[:2], generator=self.random)
        keep = mappers.nested_dropout(self.random, self.concepts, self.school.frozen.layers, latents.shape[1])
        return self.school.losses(self.weights, self.tasks.scales, latents, noise, timesteps, prompts, keep).mean()

    @torch.no_grad()
    def measure(self, repeats=4):
        """Mean loss [M] on the pictures asked for, at timesteps spread evenly and with the same noise every time."""
        random, found = torch.Generator().manual_seed(11), []
        asked = self.tasks.asked.shape[1]
        keep = torch.full((self.concepts, self.school.frozen.layers * asked), mappers.HIDDEN)
        for turn in range(repeats):
            latents = self.school.sample(self.tasks.asked, random)
            noise = torch.randn(latents.shape, generator=random)
            strata = (torch.arange(asked) * repeats + torch.arange(self.concepts)[:, None] * 3 + turn * (asked + 1)) % (asked * repeats)
            timesteps = ((strata + 0.5) * mappers.TIMESTEPS / (asked * repeats)).long()
            found.append(self.school.losses(self.weights, self.tasks.scales, latents, noise, timesteps, self.tasks.prompts, keep).mean(1))
        return torch.stack(found).mean(0)
