"""The base's two networks: Stable Diffusion's shape on latents of 8×8 cells, 16 cross-attention layers in its order."""
from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from transformers import CLIPTextConfig, CLIPTextModel


@dataclass(frozen=True)
class Shape:
    """Sizes of both networks; `vocabulary`, `start` and `end` come from the tokenizer."""

    vocabulary: int
    start: int
    end: int
    tokens: int = 24
    context: int = 128
    text_layers: int = 4
    widths: tuple = (128, 128, 128, 96)
    heads: int = 4
    groups: int = 16


def shape_of(tokenizer, **sizes):
    return Shape(tokenizer.get_vocab_size(), tokenizer.token_to_id('<|startoftext|>'),
                 tokenizer.token_to_id('<|endoftext|>'), **sizes)


def to_cells(latents):
    """[B,4,16,16] to [B,16,8,8]: a quarter of the positions for the same numbers."""
    return pixel_unshuffle(latents, 2)


def from_cells(cells):
    return pixel_shuffle(cells, 2)


class Networks(torch.nn.Module):
    """Noisy latents [B,4,16,16], timesteps [B] and token ids [B,T] to the predicted noise [B,4,16,16]."""

    def __init__(self, shape):
        super().__init__()
        self.unet = UNet2DConditionModel(
            sample_size=8, in_channels=16, out_channels=16, layers_per_block=2, block_out_channels=shape.widths,
            norm_num_groups=shape.groups, cross_attention_dim=shape.context, attention_head_dim=shape.heads,
            down_block_types=('CrossAttnDownBlock2D',) * 3 + ('DownBlock2D',),
            up_block_types=('UpBlock2D',) + ('CrossAttnUpBlock2D',) * 3)
        self.text = CLIPTextModel(CLIPTextConfig(
            vocab_size=shape.vocabulary, hidden_size=shape.context, intermediate_size=4 * shape.context,
            num_hidden_layers=shape.text_layers, num_attention_heads=4, max_position_embeddings=shape.tokens,
            hidden_act='quick_gelu', projection_dim=shape.context, bos_token_id=shape.start,
            eos_token_id=shape.end, pad_token_id=shape.end))
        # Plain attention: PyTorch's fused kernel for processors is the slowest part of a step at these sizes.
        self.unet.set_attn_processor(AttnProcessor())
        self.text.set_attn_implementation('eager')

    def forward(self, noisy, timesteps, tokens):
        context = self.text(input_ids=tokens).last_hidden_state
        return from_cells(self.unet(to_cells(noisy), timesteps, context, return_dict=False)[0])
