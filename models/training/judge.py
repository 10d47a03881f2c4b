"""The judge's network: a small image and text dual encoder with classifying heads, trained on the sticker world.

It measures what the paper measures with CLIP (section 5): `prompt` embeds pictures and sentences in one space, `likeness`
embeds pictures so that scenes of one sticker lie together, whatever the place. The heads name what is in the picture.
It shares no weight with the base model. Vectors are compared by their cosine.
"""
import torch
from torch import nn
from torch.nn import functional as F

from trainer.networks import Shape, build_text_encoder

WIDTHS = (32, 80, 144, 192)
BLOCKS = (1, 2, 2, 2)
EMBEDDING = 128
# The first convolution leaves 32×32 positions of the pictures' 128×128.
STRIDE = 4
TEXT_LAYERS = 2


class Block(nn.Module):
    """Residual block: two 3x3 convolutions; the first may halve the picture."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inside), nn.Conv2d(inside, outside, 3, stride, 1)
        self.norm2, self.conv2 = nn.GroupNorm(8, outside), nn.Conv2d(outside, outside, 3, 1, 1)
        self.skip = nn.Conv2d(inside, outside, stride, stride) if inside != outside else nn.Identity()

    def forward(self, x):
        y = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(y)))


class ImageEncoder(nn.Module):
    """Pictures [B,3,128,128] in -1..1 to vectors prompt [B,128] and likeness [B,128], and logits [B,n] of each head."""

    def __init__(self, heads):
        super().__init__()
        layers, inside = [nn.Conv2d(3, WIDTHS[0], 2 * STRIDE, STRIDE, STRIDE // 2)], WIDTHS[0]
        for i, (width, blocks) in enumerate(zip(WIDTHS, BLOCKS)):
            layers += [Block(inside, width, 2 if i else 1), *(Block(width, width, 1) for _ in range(blocks - 1))]
            inside = width
        self.trunk = nn.Sequential(*layers, nn.GroupNorm(8, inside), nn.SiLU())
        self.prompt, self.likeness = nn.Linear(inside, EMBEDDING), nn.Linear(inside, EMBEDDING)
        self.heads = nn.ModuleList(nn.Linear(inside, n) for n in heads.values())

    def forward(self, pictures):
        x = self.trunk(pictures).mean((2, 3))
        return self.prompt(x), self.likeness(x), *(head(x) for head in self.heads)


class TextEncoder(nn.Module):
    """Token ids [B,24] of the base's tokenizer to vectors [B,128]; reads the state at the end token, as CLIP does."""

    def __init__(self, vocabulary, start, end):
        super().__init__()
        shape = Shape(vocabulary, start, end, text_layers=TEXT_LAYERS)
        self.text = build_text_encoder(shape)
        self.text.set_attn_implementation('eager')
        self.project = nn.Linear(shape.context, EMBEDDING, bias=False)

    def forward(self, tokens):
        return self.project(self.text(input_ids=tokens).pooler_output)


def build(facts):
    """(image encoder, text encoder) with fresh weights; `facts` has heads {name: classes}, vocabulary, start, end."""
    return ImageEncoder(facts['heads']), TextEncoder(facts['vocabulary'], facts['start'], facts['end'])


def load(folder):
    """(image encoder, text encoder) with the weights that train_judge.py wrote into `folder`."""
    saved = torch.load(f'{folder}/judge.pt')
    encoders = build(saved['facts'])
    for encoder, weights in zip(encoders, saved['weights']):
        encoder.load_state_dict(weights)
        encoder.eval().requires_grad_(False)
    return encoders
