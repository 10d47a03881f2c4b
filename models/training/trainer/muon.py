"""Muon (Jordan et al. 2024): momentum whose matrices are made orthogonal, so that every direction learns at one rate.

Matrices and convolutions take it, scaled as large as Adam's steps (Liu et al. 2025: 0.2·√(longer side)); norms, biases,
embeddings and the first and last convolution take AdamW.
"""
import torch

from trainer.team import Team


def orthogonal(x):
    """Nearly the orthogonal factor of each matrix [n,r,c], r ≤ c: five Newton-Schulz steps in bfloat16."""
    x = x.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x


def takes_adam(name, parameter):
    return parameter.ndim < 2 or any(part in name for part in ('embed', 'conv_in', 'conv_out'))


class Muon:
    def __init__(self, named, team=Team(), decay=0.01):
        named, self.team, self.decay = list(named), team, decay
        plain = [p for n, p in named if takes_adam(n, p)]
        self.adam = torch.optim.AdamW(plain, betas=(0.9, 0.99), weight_decay=decay, fused=True)
        self.groups = {}
        for name, p in named:
            if not takes_adam(name, p):
                self.groups.setdefault((p.shape[0], p[0].numel()), []).append(p)
        self.momenta = {sides: [torch.zeros_like(p) for p in group] for sides, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        for group in self.adam.param_groups:
            group['lr'] = rate
        self.adam.step()
        for sides, parameters in self.groups.items():
            self.step_matrices(parameters, self.momenta[sides], sides, rate)

    def step_matrices(self, parameters, momenta, sides, rate):
        """All matrices of one size at once."""
        rows, columns = sides
        gradients = [p.grad for p in parameters]
        torch._foreach_lerp_(momenta, gradients, 0.05)
        ahead = torch.stack([m.reshape(sides) for m in torch._foreach_lerp(gradients, momenta, 0.95)])
        update = self.team.divide(orthogonal, ahead if rows <= columns else ahead.mT)
        update = (update if rows <= columns else update.mT).float()
        torch._foreach_mul_(parameters, 1 - rate * self.decay)
        steps = [u.reshape(p.shape) for u, p in zip(update.unbind(), parameters)]
        torch._foreach_add_(parameters, steps, alpha=-rate * 0.2 * max(sides) ** 0.5)

    def state_dict(self):
        return {'adam': self.adam.state_dict(), 'momenta': list(self.momenta.values())}

    def load_state_dict(self, state):
        self.adam.load_state_dict(state['adam'])
        self.momenta = dict(zip(self.groups, state['momenta']))
