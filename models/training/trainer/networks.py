"""The base's two networks: Stable Diffusion's shape on latents of 8×8 cells, 16 cross-attention layers in its order."""
import json
from dataclasses import asdict, dataclass

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file, save_file
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from transformers import CLIPTextConfig, CLIPTextModel

from tokenizer import TOKENS

# What the U-Net works on: [B,CHANNELS,CELLS,CELLS], the VAE's [B,4,16,16] (to_cells).
CHANNELS, CELLS = 16, 8
# Stable Diffusion 1.x's.
SCHEDULE = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear')
# Attributes of Networks and the names of their weights' files.
PARTS = {'unet': 'unet', 'text': 'text_encoder'}


@dataclass(frozen=True)
class Shape:
    """Sizes of both networks; `vocabulary`, `start` and `end` come from the tokenizer."""

    vocabulary: int
    start: int
    end: int
    tokens: int = TOKENS
    context: int = 128
    text_layers: int = 4
    widths: tuple = (128, 128, 128, 96)
    heads: int = 4
    groups: int = 16
    channels: int = CHANNELS


def shape_of(tokenizer, **sizes):
    return Shape(tokenizer.get_vocab_size(), tokenizer.token_to_id('<|startoftext|>'),
                 tokenizer.token_to_id('<|endoftext|>'), **sizes)


def to_cells(latents):
    """[B,4,16,16] to [B,16,8,8]: a quarter of the positions for the same numbers."""
    return pixel_unshuffle(latents, 2)


def from_cells(cells):
    return pixel_shuffle(cells, 2)


def build_unet(shape):
    """Cells [B,16,8,8], timesteps [B] and contexts [B,T,D] to the predicted noise [B,16,8,8]."""
    return UNet2DConditionModel(
        sample_size=CELLS, in_channels=shape.channels, out_channels=shape.channels, layers_per_block=2, block_out_channels=shape.widths,
        norm_num_groups=shape.groups, cross_attention_dim=shape.context, attention_head_dim=shape.heads,
        down_block_types=('CrossAttnDownBlock2D',) * 3 + ('DownBlock2D',),
        up_block_types=('UpBlock2D',) + ('CrossAttnUpBlock2D',) * 3)


def build_text_encoder(shape):
    """Token ids [B,T] to contexts [B,T,D]: CLIP's causal encoder; the end token also pads."""
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.context, intermediate_size=4 * shape.context,
        num_hidden_layers=shape.text_layers, num_attention_heads=4, max_position_embeddings=shape.tokens,
        hidden_act='quick_gelu', projection_dim=shape.context, bos_token_id=shape.start,
        eos_token_id=shape.end, pad_token_id=shape.end))


def build_scheduler():
    """SD 1.x's noise schedule with epsilon prediction."""
    return DDIMScheduler(**SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type='epsilon')


def build_sampler(steps):
    """DPM-Solver++ 2M with its timesteps set."""
    scheduler = DPMSolverMultistepScheduler(**SCHEDULE, algorithm_type='dpmsolver++', solver_order=2)
    scheduler.set_timesteps(steps)
    return scheduler


class Networks(torch.nn.Module):
    """Noisy latents [B,4,16,16], timesteps [B] and token ids [B,T] to the predicted noise [B,4,16,16]."""

    def __init__(self, shape):
        super().__init__()
        self.unet, self.text = build_unet(shape), build_text_encoder(shape)
        # Plain attention: PyTorch's fused kernel for processors is the slowest part of a step at these sizes.
        self.unet.set_attn_processor(AttnProcessor())
        self.text.set_attn_implementation('eager')

    def forward(self, noisy, timesteps, tokens):
        context = self.text(input_ids=tokens).last_hidden_state
        return from_cells(self.unet(to_cells(noisy), timesteps, context, return_dict=False)[0])

    def load_parts(self, folder):
        """Takes the weights of a training's folder (unet/ of a run)."""
        for part, file in PARTS.items():
            loaded = {k: v.float() for k, v in load_file(str(folder / f'{file}.safetensors')).items()}
            getattr(self, part).load_state_dict(loaded, strict=False)


def shape_in(folder):
    """The shape that facts.json of a training's folder names."""
    facts = json.loads((folder / 'facts.json').read_text())
    return Shape(**{k: tuple(v) if k == 'widths' else v for k, v in facts.items() if k in Shape.__dataclass_fields__})


def load_networks(folder):
    """The networks of a training's folder, float32, not to be trained."""
    networks = Networks(shape_in(folder))
    networks.load_parts(folder)
    return networks.eval().requires_grad_(False)


def halves(module):
    """The module's tensors by name, in half precision."""
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in module.state_dict().items()}


def save_networks(networks, shape, folder):
    """A folder that `load_networks` and a training's `--from` read."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, file in PARTS.items():
        save_file(halves(getattr(networks, part)), str(folder / f'{file}.safetensors'))
    (folder / 'facts.json').write_text(json.dumps(asdict(shape)) + '\n')
