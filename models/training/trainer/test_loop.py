"""A training that was cut and begun again comes to the same bits as one that was not."""
import torch

from trainer.loop import Plan, Trainer
from trainer.networks import Shape

# Other processes may want the cores.
torch.set_num_threads(1)

SHAPE = Shape(vocabulary=50, start=48, end=49, tokens=6, context=16, text_layers=1, widths=(16, 16, 16, 16), groups=4)
PLAN = Plan(batch=4, pictures=40, warm_up=2, first_chunks=1, last_chunks=2, steps_a_chunk=3)


class RandomScenes:
    """Latents and tokens of numbers instead of pictures; a chunk follows from its number."""

    def __init__(self):
        self.latents, self.tokens = [], []

    def ensure(self, count):
        for number in range(len(self.latents), count):
            random = torch.Generator().manual_seed(number)
            self.latents.append(torch.randn(500, 4, 16, 16, generator=random).half())
            self.tokens.append(torch.randint(48, (500, 3, 6), generator=random, dtype=torch.int16))

    def tests(self):
        random = torch.Generator().manual_seed(9)
        return torch.randn(8, 4, 16, 16, generator=random), torch.randint(48, (8, 6), generator=random)


def trained(folder, steps, trainer=None):
    trainer = trainer or Trainer(folder, SHAPE, PLAN, RandomScenes())
    losses = [trainer.train_step() for _ in range(steps)]
    return trainer, losses


def test_resumes_to_the_same_bits(tmp_path):
    whole, losses = trained(tmp_path / 'whole', 8)
    first, before = trained(tmp_path / 'cut', 3)
    first.save({})
    trained(tmp_path / 'cut', 2, first)  # These steps are lost with the process.
    second, after = trained(tmp_path / 'cut', 5)
    assert losses == before + after
    for ours, theirs in zip(whole.average + whole.live, second.average + second.live):
        assert torch.equal(ours, theirs)


def test_another_plan_is_refused(tmp_path):
    trainer, _ = trained(tmp_path, 1)
    trainer.save({})
    other = Plan(batch=8)
    try:
        Trainer(tmp_path, SHAPE, other, RandomScenes())
    except ValueError as error:
        assert 'use another folder' in str(error)
    else:
        raise AssertionError('expected a refusal')


def test_measuring_changes_nothing(tmp_path):
    trainer, _ = trained(tmp_path, 2)
    before = [p.clone() for p in trainer.live]
    assert trainer.measure() > 0
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.live))
