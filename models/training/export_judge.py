"""Writes the judge beside the base model as two ONNX graphs in half precision, and its reference numbers.

    python export_judge.py RUN_DIR MODEL_DIR

MODEL_DIR gets judge_image/model.onnx (pixel_values [B,3,128,128] in -1..1 -> image_embeds, likeness_embeds [B,128] and the
heads' logits), judge_text/model.onnx (input_ids [B,24] -> text_embeds [B,128]), a config.json beside each, and
judge-goldens.safetensors: the float32 outputs of exactly these weights for some pictures and sentences.
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

import judge
from export import export_graph, halve_attention_mask
from tokenizer import TOKENS, encode
from train_judge import HEADS, Scenes
from world.canvas import SIDE

SENTENCE = 'a photo of a red car on a beach'
IMAGE_OUTPUTS = ['image_embeds', 'likeness_embeds', *HEADS]


def rounded(encoder):
    """The encoder with its weights rounded to half precision, in float32."""
    return encoder.half().float()


def goldens(image, text, tokenizer, scenes):
    """Inputs and float32 outputs of eight scenes and a sentence."""
    pictures, ids = scenes.read(torch.arange(8)), torch.tensor(encode(tokenizer, [SENTENCE]))
    return {'pixel_values': pictures, **dict(zip(IMAGE_OUTPUTS, image(pictures))),
            'sentence_ids': ids.float(), 'sentence_embeds': text(ids)}


def main(run, out):
    run, out = Path(run), Path(out)
    image, text = (rounded(encoder) for encoder in judge.load(run))
    scenes = Scenes(run, 'test')
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    tensors = {k: v.contiguous() for k, v in goldens(image, text, tokenizer, scenes).items()}
    save_file(tensors, str(out / 'judge-goldens.safetensors'))
    picture = torch.randn(2, 3, SIDE, SIDE, dtype=torch.float16)
    export_graph(image.half(), {'pixel_values': picture}, IMAGE_OUTPUTS, out / 'judge_image/model.onnx')
    export_graph(text.half(), {'input_ids': scenes.tokens[:2]}, ['text_embeds'], out / 'judge_text/model.onnx')
    halve_attention_mask(out / 'judge_text/model.onnx')
    sizes = {'judge_image': {'in_channels': 3, 'sample_size': SIDE},
             'judge_text': {'max_position_embeddings': TOKENS}}
    for name, config in sizes.items():
        config = {'projection_dim': judge.EMBEDDING, **config}
        (out / name / 'config.json').write_text(json.dumps(config, indent=2) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:3])
