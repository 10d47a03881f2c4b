"""How often the base draws what it was asked for, as the shipped judge sees it; nothing is picked.

    python measure_base.py JUDGE_RUN MODEL_DIR

JUDGE_RUN has the sets of draw_judged.py. Figures go to MODEL_DIR/base.json: of random requests, how often subject, place, plain
colour, treatment and count are there; the same for subjects in places where training showed them and where it never did;
the denoising loss on new scenes; and, for scale, what the judge says of the VAE's reconstructions of real ones.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from draw_judged import GROUNDS, LABELS, WORDS
from measure_judge import top
from sample import sample
from train_judge import HEADS, Scenes
from trainer.light_vae import planes
from trainer.networks import CHANNELS, build_scheduler
from world import captions, scene
from world.nouns import article, bare, indefinite, plural
from world.scene import pick
from world.subjects import SUBJECTS

# Random requests; subject-place pairs of either kind; seeds for each.
PROMPTS, PAIRS, SEEDS, BATCH = 200, 50, 4, 50
SCENES = 1000
PLACES = len(scene.PLACE_NAMES)
COUNTABLE = [word for word in WORDS if not bare(word)]
CODES = {word: [code for code, subject in SUBJECTS.items() if subject.word == word] for word in WORDS}


def in_place(rng, word, place):
    """(sentence, {head: class}) of a thing in a place."""
    end = ' ' + pick(rng, captions.PLACE_PHRASES[place])
    wanted = {'subject': WORDS.index(word), 'ground': GROUNDS.index(place), 'count': 0}
    return f'a photo of {indefinite(word)}{end}', wanted


def treated(rng, word):
    name = pick(rng, scene.TREATMENTS)
    sentence = pick(rng, captions.TREATMENT_PHRASES[name]).format(indefinite(word))
    return sentence, {'subject': WORDS.index(word), 'treatment': 1 + scene.TREATMENTS.index(name)}


def coloured(rng, word):
    colour = pick(rng, scene.COLOUR_NAMES)
    sentence = f'a photo of {indefinite(word)} on {article(colour)} {colour} background'
    return sentence, {'subject': WORDS.index(word), 'ground': GROUNDS.index(colour), 'count': 0}


def several(rng, word):
    count = int(rng.integers(2, 4))
    return f'a photo of {captions.NUMBERS[count]} {plural(word)}', {'subject': WORDS.index(word), 'count': count - 1}


def ask(rng):
    """(sentence, {head: class}) of one random request: a place, several things, a treatment, or a colour."""
    kind = rng.random()
    if kind < 0.45:
        return in_place(rng, pick(rng, WORDS), pick(rng, scene.PLACE_NAMES))
    if kind < 0.65:
        return several(rng, pick(rng, COUNTABLE))
    return (treated if kind < 0.85 else coloured)(rng, pick(rng, WORDS))


def shown(word, place):
    """How many of a word's code points training shows in a place."""
    return sum(not scene.is_held_out(code, place) for code in CODES[word])


def pairs(rng, held_out):
    """Requests of random subject-place pairs: of those that training never shows, or always."""
    all_pairs = [(word, place) for word in WORDS for place in scene.PLACE_NAMES
                 if shown(word, place) == (0 if held_out else len(CODES[word]))]
    return [in_place(rng, *all_pairs[i]) for i in rng.choice(len(all_pairs), PAIRS, replace=False)]


def run(folder, part, *inputs):
    """All outputs of a shipped graph, float32, in batches; inputs are tensors [N, ...] in the order of the graph's."""
    session = onnxruntime.InferenceSession(str(folder / part / 'model.onnx'), providers=['CPUExecutionProvider'])
    names = [each.name for each in session.get_inputs()]
    halves = [x.half() if x.is_floating_point() else x for x in inputs]
    parts = [session.run(None, {name: rows.numpy() for name, rows in zip(names, batch)})
             for batch in zip(*(x.split(BATCH) for x in halves))]
    return [torch.cat([torch.from_numpy(x).float() for x in output]) for output in zip(*parts)]


def heads(folder, pictures):
    """The judge's logits {head: [N, classes]} of pictures [N,3,128,128] in -1..1."""
    return dict(zip(HEADS, run(folder, 'judge_image', pictures)[2:]))


def drawn(folder, requests):
    """(logits {head: [N, classes]}, wanted classes [N]) of what the base draws, SEEDS pictures a request."""
    repeated = [request for request in requests for _ in range(SEEDS)]
    pictures = []
    for start in range(0, len(repeated), BATCH):
        sentences = [sentence for sentence, _ in repeated[start:start + BATCH]]
        pictures.append(sample(folder, sentences, range(start, start + len(sentences))))
    return heads(folder, planes(np.concatenate(pictures))), [wanted for _, wanted in repeated]


def hits(logits, wanted, name, keep, k=1):
    """Share, over the pictures whose request names `name` within `keep`, that show it."""
    rows = [i for i, want in enumerate(wanted) if want.get(name) in keep]
    return top(logits[name][rows], torch.tensor([wanted[i][name] for i in rows]), k)


def judge_base(folder):
    """Figures of random requests."""
    rng = np.random.default_rng(200)
    logits, wanted = drawn(folder, [ask(rng) for _ in range(PROMPTS)])
    every = range(len(WORDS))
    return {
        'prompts': PROMPTS, 'pictures': len(wanted),
        'subject': hits(logits, wanted, 'subject', every), 'subject, top 5': hits(logits, wanted, 'subject', every, 5),
        'place': hits(logits, wanted, 'ground', range(PLACES)), 'colour': hits(logits, wanted, 'ground', range(PLACES, len(GROUNDS))),
        'treatment': hits(logits, wanted, 'treatment', every),
        'count, one': hits(logits, wanted, 'count', [0]), 'count, two or three': hits(logits, wanted, 'count', [1, 2]),
    }


def judge_pairs(folder, held_out):
    """Figures of subjects in places, and of both being right in one picture."""
    logits, wanted = drawn(folder, pairs(np.random.default_rng(300 + held_out), held_out))
    right = [logits[name].argmax(1) == torch.tensor([want[name] for want in wanted]) for name in ('subject', 'ground')]
    subject, place, both = (part.float().mean().item() for part in (*right, right[0] & right[1]))
    return {'pairs': PAIRS, 'pictures': len(wanted), 'subject': subject,
            'subject, top 5': hits(logits, wanted, 'subject', range(len(WORDS)), 5), 'place': place, 'both': both}


def denoising_loss(folder, scenes):
    """Mean squared error of the predicted noise over scenes with their captions, timesteps spread evenly."""
    latents = run(folder, 'vae_encoder', scenes.read(torch.arange(SCENES)))[0][:, :CHANNELS]
    latents *= json.loads((folder / 'vae_decoder/config.json').read_text())['scaling_factor']
    contexts = run(folder, 'text_encoder', scenes.tokens[:SCENES])[0]
    timesteps = torch.arange(SCENES) * 1000 // SCENES
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    noisy = build_scheduler().add_noise(latents, noise, timesteps)
    return (run(folder, 'unet', noisy, timesteps, contexts)[0] - noise).pow(2).mean().item()


def judge_vae(folder, scenes):
    """PSNR, and the heads' accuracy on real scenes and on their reconstructions."""
    index = torch.arange(SCENES)
    originals, labels = scenes.read(index), scenes.labels[index]
    back = run(folder, 'vae_decoder', run(folder, 'vae_encoder', originals)[0][:, :CHANNELS])[0].clamp(-1, 1)
    psnr = (10 * torch.log10(4 / (back - originals).pow(2).mean((1, 2, 3)))).mean().item()
    accuracy = {what: {name: named(logits[name], labels[:, LABELS.index(name)]) for name in HEADS}
                for what, logits in (('originals', heads(folder, originals)), ('reconstructions', heads(folder, back)))}
    return {'pictures': SCENES, 'PSNR, dB': psnr, **accuracy}


def named(logits, labels):
    """Top-1 where there is something to name: what a treatment makes of a thing alone has no ground."""
    return top(logits[labels >= 0], labels[labels >= 0], 1)


def main(judged, folder):
    scenes, folder = Scenes(Path(judged), 'test'), Path(folder)
    figures = {'base': judge_base(folder), 'pairs that training shows': judge_pairs(folder, False),
               'held-out pairs': judge_pairs(folder, True), 'denoising loss': denoising_loss(folder, scenes),
               'VAE': judge_vae(folder, scenes)}
    (folder / 'base.json').write_text(json.dumps(figures, indent=1) + '\n')
    print(json.dumps(figures, indent=1))


if __name__ == '__main__':
    with torch.no_grad():
        main(*sys.argv[1:3])
