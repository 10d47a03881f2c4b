"""Forty prompts, one picture each, unpicked: what the model draws, as a PNG.

    python contact_sheet.py RUN_DIR OUT_FILE

DPM-Solver++ 2M, 25 steps, guidance 5, seeds 0 to 39.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler
from PIL import Image, ImageDraw
from tokenizers import Tokenizer

import model
from tokenizer import encode
from train import read_facts

SUBJECTS = ['cat', 'dog', 'penguin', 'fish', 'horse', 'turtle', 'apple', 'banana', 'hamburger', 'airplane', 'car', 'house',
            'rose', 'tree', 'balloon', 'robot', 'key', 'shirt', 'clock', 'star']
FRAMES = ['a photo of a {}', 'a photo of {} on a beach', 'a photo of a {} in the jungle', 'a photo of a {} in the snow',
          'a photo of a {} on the moon', 'a {} in the city', 'a photo of a {} on a blue background',
          'a photo of a red {}', 'a silhouette of a {}', 'a pencil drawing of a {}', 'a photo of a {} in 3d style',
          'a photo of a {} under the sea']
PROMPTS = [FRAMES[i % len(FRAMES)].format(SUBJECTS[(7 * i) % len(SUBJECTS)]) for i in range(40)]
STEPS, GUIDANCE, COLUMNS, CELL = 25, 5.0, 8, 128


@torch.no_grad()
def generate(run, prompts):
    """Pictures uint8 [N,64,64,3], picture n from seed n."""
    facts = read_facts(run)
    unet, vae = model.build_unet(), model.build_vae()
    text = model.build_text_encoder(facts['vocabulary'], facts['start'], facts['end'])
    for module, file in ((unet, 'unet'), (text, 'text_encoder'), (vae, 'vae')):
        model.load_weights(module, run / f'{file}.safetensors')
        module.eval()
    tokenizer = Tokenizer.from_file(str(run / 'tokenizer/tokenizer.json'))
    tokens = torch.from_numpy(np.array(encode(tokenizer, [''] * len(prompts) + prompts), np.int64))
    context = text(input_ids=tokens).last_hidden_state
    noise = [torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(n)) for n in range(len(prompts))]
    x = torch.cat(noise)
    scheduler = DPMSolverMultistepScheduler(**model.SCHEDULE, algorithm_type='dpmsolver++', timestep_spacing='linspace')
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:
        plain, told = unet(torch.cat([x, x]), t, context).sample.chunk(2)
        x = scheduler.step(plain + GUIDANCE * (told - plain), t, x).prev_sample
    y = vae.decode(x / facts['scaling_factor']).sample.clamp(-1, 1)
    return ((y.permute(0, 2, 3, 1) + 1) * 127.5).round().byte().numpy()


def sheet(pictures, prompts):
    rows = -(-len(prompts) // COLUMNS)
    page = Image.new('RGB', (COLUMNS * (CELL + 8), rows * (CELL + 34)), 'white')
    draw = ImageDraw.Draw(page)
    for n, (picture, prompt) in enumerate(zip(pictures, prompts)):
        x, y = n % COLUMNS * (CELL + 8) + 4, n // COLUMNS * (CELL + 34) + 4
        page.paste(Image.fromarray(picture).resize((CELL, CELL), Image.Resampling.BICUBIC), (x, y))
        words = prompt.split()
        half = (len(words) + 1) // 2
        draw.text((x, y + CELL + 1), ' '.join(words[:half]) + '\n' + ' '.join(words[half:]), fill='black')
    return page


if __name__ == '__main__':
    sheet(generate(Path(sys.argv[1]), PROMPTS), PROMPTS).save(sys.argv[2])
