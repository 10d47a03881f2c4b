"""The base model's shapes: Stable Diffusion 1.x, only narrower, so that everything built on it fits the real one.

WORLD=small (the default; what ships) or WORLD=full in the environment chooses the sizes, and extent.py the pictures.

One place builds the modules; training, export and goldens all import it. `build_*` return float32 modules with fresh
weights; `load_modules` fills them from a folder of checkpoints (safetensors, any float type).
"""
import os
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

WORLD = os.environ.get('WORLD', 'small')
PICTURE, TOKENS, UNET_WIDTHS, VAE_WIDTHS = {
    'small': (64, 20, (96, 96, 96, 64), (24, 32, 64, 64)),
    'full': (128, 24, (32, 64, 96, 128), (32, 48, 96, 96)),
}[WORLD]
LATENT = PICTURE // 8
WIDTH = 128
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
SCHEDULE = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear')


def build_unet() -> UNet2DConditionModel:
    """U-Net with 16 cross-attention layers in SD's order; latents [B,4,LATENT,LATENT], contexts [B,TOKENS,128]."""
    return UNet2DConditionModel(
        sample_size=LATENT, in_channels=4, out_channels=4, layers_per_block=2,
        block_out_channels=UNET_WIDTHS, norm_num_groups=32,
        down_block_types=('CrossAttnDownBlock2D',) * 3 + ('DownBlock2D',),
        up_block_types=('UpBlock2D',) + ('CrossAttnUpBlock2D',) * 3,
        cross_attention_dim=WIDTH, attention_head_dim=4)


def build_text_encoder(vocabulary: int, start: int, end: int, layers: int = 4) -> CLIPTextModel:
    """Causal CLIP text encoder; `vocabulary` tokens, `start` and `end` are token ids (end also pads)."""
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=layers,
        num_attention_heads=4, max_position_embeddings=TOKENS, hidden_act='quick_gelu', projection_dim=WIDTH,
        bos_token_id=start, eos_token_id=end, pad_token_id=end))


def build_vae(scaling_factor: float = 1.0) -> AutoencoderKL:
    """VAE with factor 8 and 4 latent channels; pictures are [B,3,PICTURE,PICTURE] in -1..1."""
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=PICTURE, layers_per_block=1,
        block_out_channels=VAE_WIDTHS, norm_num_groups=8, scaling_factor=scaling_factor,
        down_block_types=('DownEncoderBlock2D',) * 4, up_block_types=('UpDecoderBlock2D',) * 4)


def build_scheduler() -> DDIMScheduler:
    """SD 1.x's noise schedule with epsilon prediction."""
    return DDIMScheduler(**SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1,
                         prediction_type='epsilon')


def load_weights(module, path: Path) -> None:
    """Fills `module` from a safetensors file; every name must fit."""
    module.load_state_dict({name: tensor.float() for name, tensor in load_file(str(path)).items()})
