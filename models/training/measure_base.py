"""How often the base draws what it was asked for, as the shipped judge sees it: 200 prompts, four seeds each, unpicked.

    python measure_base.py RUN_DIR MODEL_DIR

RUN_DIR has the sets of draw_judged.py. Figures go to MODEL_DIR/base.json: subject top-1 and top-5, place, plain colour,
treatment; the denoising loss on new scenes; and, for scale, what the judge says of the VAE's reconstructions of real ones.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import captions
import model
import world
from captions import PLACE_PHRASES, TREATMENT_PHRASES, pick
from draw_judged import LABELS
from measure_judge import top
from sample import sample
from subjects import SUBJECTS
from train_judge import HEADS, Scenes

PROMPTS, SEEDS, BATCH = 200, 4, 50
SCENES = 1000
ORDER = list(SUBJECTS)


def ask(rng):
    """(sentence, {'subject', 'ground' or 'treatment': class}) of one random request: a place, a colour, or a treatment."""
    subject = int(rng.integers(len(ORDER)))
    noun = SUBJECTS[ORDER[subject]][0]
    kind = rng.random()
    if kind < 0.6:
        place = int(rng.integers(len(world.PLACE_NAMES)))
        end = ' ' + pick(rng, PLACE_PHRASES[world.PLACE_NAMES[place]])
        return captions.fit_article(f'a photo of a {noun}', noun) + end, {'subject': subject, 'ground': place}
    if kind < 0.8:
        treatment = int(rng.integers(len(world.TREATMENTS)))
        phrase = pick(rng, TREATMENT_PHRASES[world.TREATMENTS[treatment]])
        return captions.fit_article(phrase.format(f'a {noun}'), noun), {'subject': subject, 'treatment': 1 + treatment}
    colour = int(rng.integers(len(world.COLOUR_NAMES)))
    end = f' on a {world.COLOUR_NAMES[colour]} background'
    return (captions.fit_article(f'a photo of a {noun}', noun) + end,
            {'subject': subject, 'ground': len(world.PLACE_NAMES) + colour})


def tensor(pictures):
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def run(folder, part, *inputs):
    """All outputs of a shipped graph, float32, in batches; inputs are tensors [N, ...] in the order of the graph's."""
    session = onnxruntime.InferenceSession(str(folder / part / 'model.onnx'), providers=['CPUExecutionProvider'])
    names = [each.name for each in session.get_inputs()]
    halves = [x.half() if x.is_floating_point() else x for x in inputs]
    parts = [session.run(None, {name: rows.numpy() for name, rows in zip(names, batch)})
             for batch in zip(*(x.split(BATCH) for x in halves))]
    return [torch.cat([torch.from_numpy(x).float() for x in output]) for output in zip(*parts)]


def heads(folder, pictures):
    """The judge's logits {head: [N, classes]} of pictures [N,3,64,64] in -1..1."""
    return dict(zip(HEADS, run(folder, 'judge_image', pictures)[2:]))


def hits(logits, wanted, name, keep, k=1):
    """Share, over the pictures whose request names `name` within `keep`, that show it."""
    rows = [i for i, want in enumerate(wanted) if name in want and want[name] in keep]
    return top(logits[name][rows], torch.tensor([wanted[i][name] for i in rows]), k)


def judge_base(folder):
    rng = np.random.default_rng(200)
    asked = [ask(rng) for _ in range(PROMPTS)]
    repeated = [request for request in asked for _ in range(SEEDS)]
    pictures = []
    for start in range(0, len(repeated), BATCH):
        sentences = [sentence for sentence, _ in repeated[start:start + BATCH]]
        pictures.append(sample(folder, sentences, range(start, start + len(sentences))))
    wanted = [want for _, want in repeated]
    logits, places = heads(folder, tensor(np.concatenate(pictures))), len(world.PLACE_NAMES)
    everything = range(1000)
    return {
        'prompts': PROMPTS, 'pictures': len(repeated),
        'subject': hits(logits, wanted, 'subject', everything), 'subject, top 5': hits(logits, wanted, 'subject', everything, 5),
        'place': hits(logits, wanted, 'ground', range(places)), 'colour': hits(logits, wanted, 'ground', everything[places:]),
        'treatment': hits(logits, wanted, 'treatment', everything),
    }


def denoising_loss(folder, scenes):
    """Mean squared error of the predicted noise over scenes with their captions, timesteps spread evenly."""
    latents = run(folder, 'vae_encoder', scenes.read(torch.arange(SCENES)))[0][:, :4]
    latents *= json.loads((folder / 'vae_decoder/config.json').read_text())['scaling_factor']
    contexts = run(folder, 'text_encoder', scenes.tokens[:SCENES])[0]
    timesteps = torch.arange(SCENES) * 1000 // SCENES
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    noisy = model.build_scheduler().add_noise(latents, noise, timesteps)
    return (run(folder, 'unet', noisy, timesteps, contexts)[0] - noise).pow(2).mean().item()


def judge_vae(folder, scenes):
    """PSNR, and the heads' accuracy on real scenes and on their reconstructions."""
    index = torch.arange(SCENES)
    originals, labels = scenes.read(index), scenes.labels[index]
    back = run(folder, 'vae_decoder', run(folder, 'vae_encoder', originals)[0][:, :4])[0].clamp(-1, 1)
    psnr = (10 * torch.log10(4 / (back - originals).pow(2).mean((1, 2, 3)))).mean().item()
    accuracy = {what: {name: top(logits[name], labels[:, LABELS.index(name)], 1) for name in HEADS}
                for what, logits in (('originals', heads(folder, originals)), ('reconstructions', heads(folder, back)))}
    return {'pictures': SCENES, 'PSNR, dB': psnr, **accuracy}


def main(drawn, folder):
    scenes, folder = Scenes(Path(drawn), 'test'), Path(folder)
    figures = {'base': judge_base(folder), 'denoising loss': denoising_loss(folder, scenes),
               'VAE': judge_vae(folder, scenes)}
    (folder / 'base.json').write_text(json.dumps(figures, indent=1) + '\n')
    print(json.dumps(figures, indent=1))


if __name__ == '__main__':
    with torch.no_grad():
        main(*sys.argv[1:3])
