"""A light VAE: pictures [B,3,128,128] in -1..1 to latents [B,4,16,16], for a third of the operations of AutoencoderKL.

Space-to-depth stands in front and depth-to-space behind, so no convolution but the last runs at the pictures' full size.
The U-Net works on the same latents as [B,16,8,8] (networks.to_cells).
"""
import json

import torch
from safetensors.torch import load_file, save_file
from torch import nn


class Residual(nn.Module):
    """Two normalized convolutions, added to what came in."""

    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1),
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1))

    def forward(self, x):
        return x + self.layers(x)


def residuals(width, count=3):
    return [Residual(width) for _ in range(count)]


def encoder(widths=(64, 160), channels=4):
    """Pictures to mean and log-variance [B,2·channels,16,16]."""
    a, b = widths
    return nn.Sequential(
        nn.PixelUnshuffle(4), nn.Conv2d(48, a, 3, 1, 1), *residuals(a),
        nn.Conv2d(a, b, 3, 2, 1), *residuals(b),
        nn.GroupNorm(8, b), nn.SiLU(), nn.Conv2d(b, 2 * channels, 3, 1, 1))


def decoder(widths=(64, 192), channels=4, last=16):
    """Latents to pictures; the small last convolution hides the seams of the depth-to-space before it."""
    a, b = widths
    return nn.Sequential(
        nn.Conv2d(channels, b, 3, 1, 1), *residuals(b),
        nn.Upsample(scale_factor=2, mode='nearest'), nn.Conv2d(b, a, 3, 1, 1), *residuals(a),
        nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, last * 16, 3, 1, 1),
        nn.PixelShuffle(4), nn.SiLU(), nn.Conv2d(last, 3, 3, 1, 1))


class LightVae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = encoder(), decoder()

    def moments(self, pictures):
        """The posterior's mean and log-variance, [B,4,16,16] each."""
        return self.encoder(pictures).chunk(2, 1)

    def mean(self, pictures):
        return self.moments(pictures)[0]


def planes(pictures):
    """uint8 [B,128,128,3] to float32 [B,3,128,128] in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def save_vae(vae, facts, folder):
    """A folder that `load_vae` reads; `facts` has the scaling factor."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in vae.state_dict().items()}, str(folder / 'vae.safetensors'))
    (folder / 'vae.json').write_text(json.dumps(facts) + '\n')


def load_vae(folder):
    """The VAE of vae.safetensors and the scaling factor that vae.json names."""
    vae = LightVae().eval()
    vae.load_state_dict({name: tensor.float() for name, tensor in load_file(str(folder / 'vae.safetensors')).items()})
    return vae, json.loads((folder / 'vae.json').read_text())['scaling_factor']
