"""How often the base draws what it was asked for, as the judge sees it: 200 prompts, four seeds each, unpicked.

    python measure_base.py RUN_DIR MODEL_DIR

RUN_DIR has the judge's checkpoint (judge.pt) and the drawn sets. Figures go to MODEL_DIR/base.json: subject top-1 and top-5,
place, plain colour, treatment; and, for scale, what the judge says of the VAE's reconstructions of real scenes.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

import captions
import judge
import world
from captions import PLACE_PHRASES, TREATMENT_PHRASES, pick
from draw_judged import LABELS
from measure_judge import top
from sample import sample
from subjects import SUBJECTS
from train_judge import HEADS, Scenes

PROMPTS, SEEDS, BATCH = 200, 4, 50
RECONSTRUCTIONS = 1000
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


def heads(image, pictures):
    """Logits {head: [N, classes]} of pictures [N,3,64,64] in -1..1."""
    parts = [image(part)[2:] for part in pictures.split(250)]
    return {name: torch.cat(rows) for name, rows in zip(HEADS, zip(*parts))}


def hits(logits, wanted, name, keep, k=1):
    """Share, over the pictures whose request names `name` within `keep`, that show it."""
    rows = [i for i, want in enumerate(wanted) if name in want and want[name] in keep]
    return top(logits[name][rows], torch.tensor([wanted[i][name] for i in rows]), k)


def judge_base(image, folder):
    rng = np.random.default_rng(200)
    asked = [ask(rng) for _ in range(PROMPTS)]
    repeated = [request for request in asked for _ in range(SEEDS)]
    pictures = []
    for start in range(0, len(repeated), BATCH):
        sentences = [sentence for sentence, _ in repeated[start:start + BATCH]]
        pictures.append(sample(folder, sentences, range(start, start + len(sentences))))
    wanted = [want for _, want in repeated]
    logits, places = heads(image, tensor(np.concatenate(pictures))), len(world.PLACE_NAMES)
    everything = range(1000)
    return {
        'prompts': PROMPTS, 'pictures': len(repeated),
        'subject': hits(logits, wanted, 'subject', everything), 'subject, top 5': hits(logits, wanted, 'subject', everything, 5),
        'place': hits(logits, wanted, 'ground', range(places)), 'colour': hits(logits, wanted, 'ground', everything[places:]),
        'treatment': hits(logits, wanted, 'treatment', everything),
    }


def reconstruct(folder, pictures):
    """What the VAE makes of pictures in -1..1, and its mean PSNR in dB."""
    def run(part, x):
        session = onnxruntime.InferenceSession(str(folder / part / 'model.onnx'), providers=['CPUExecutionProvider'])
        name = session.get_inputs()[0].name
        return torch.cat([torch.from_numpy(session.run(None, {name: rows.half().numpy()})[0]) for rows in x.split(50)])
    mean = run('vae_encoder', pictures)[:, :4]
    back = run('vae_decoder', mean).float().clamp(-1, 1)
    return back, (10 * torch.log10(4 / (back - pictures).pow(2).mean((1, 2, 3)))).mean().item()


def judge_vae(image, scenes, folder):
    """The heads' accuracy on real scenes and on their reconstructions."""
    index = torch.arange(RECONSTRUCTIONS)
    originals, labels = scenes.read(index), scenes.labels[index]
    back, psnr = reconstruct(folder, originals)
    accuracy = {what: {name: top(logits[name], labels[:, LABELS.index(name)], 1) for name in HEADS}
                for what, logits in (('originals', heads(image, originals)), ('reconstructions', heads(image, back)))}
    return {'pictures': RECONSTRUCTIONS, 'PSNR, dB': psnr, **accuracy}


def main(run, folder):
    run, folder = Path(run), Path(folder)
    image, _ = judge.load(run)
    figures = {'base': judge_base(image, folder), 'VAE': judge_vae(image, Scenes(run, 'test'), folder)}
    (folder / 'base.json').write_text(json.dumps(figures, indent=1) + '\n')
    print(json.dumps(figures, indent=1))


if __name__ == '__main__':
    with torch.no_grad():
        main(*sys.argv[1:3])
