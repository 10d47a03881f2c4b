"""Validates the judge before it is believed, on scenes it was not trained on.

    python measure_judge.py RUN_DIR MODEL_DIR

Sets (draw_judged.py): `test`, new scenes of trained stickers; `unseen`, scenes of held-out subjects; `artist`, scenes of the
artist who was never trained on. Figures go to MODEL_DIR/judge.json: top-1 of the heads, how often a picture's own
caption is the nearest among a thousand, and the area under the ROC curve of likeness for telling two scenes of
one sticker from scenes of two.
"""
import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

import judge
from draw_judged import LABELS
from train_judge import HEADS, Scenes
from world import scene

SETS = {'test': 'new scenes of trained stickers', 'unseen': 'held-out subjects', 'artist': 'held-out artist'}
BATCH = 250
CAPTIONS = 1000
NEGATIVES = 200_000


def see(image, scenes):
    """Outputs of the image encoder for every picture, vectors of length one: {name: [N, ...]}."""
    names = ['prompt', 'likeness', *HEADS]
    parts = [image(scenes.read(index)) for index in torch.arange(len(scenes.pictures)).split(BATCH)]
    seen = {name: torch.cat(rows) for name, rows in zip(names, zip(*parts))}
    return {name: F.normalize(rows, dim=1) if name in ('prompt', 'likeness') else rows for name, rows in seen.items()}


def pairs(stickers):
    """Index pairs [2,P] of neighbours of one sticker, and random ones [2,Q] of two."""
    order = torch.argsort(stickers, stable=True)
    a, b = order[:-1], order[1:]
    same = stickers[a] == stickers[b]
    other = torch.randint(len(stickers), (2, NEGATIVES), generator=torch.Generator().manual_seed(0))
    return torch.stack([a[same], b[same]]), other[:, stickers[other[0]] != stickers[other[1]]]


def area_under_curve(positive, negative):
    """The share of (positive, negative) pairs that are in order: Mann and Whitney's U."""
    ranks = torch.cat([positive, negative]).argsort().argsort().double() + 1
    n = len(positive)
    return ((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(negative))).item()


def likeness_area(likeness, stickers):
    cosines = [(likeness[a] * likeness[b]).sum(1) for a, b in pairs(stickers)]
    return area_under_curve(*cosines)


def top(logits, labels, k):
    """Share of rows whose label is among the k highest."""
    return (logits.topk(k, 1).indices == labels[:, None]).any(1).float().mean().item()


def own_caption(prompt, text, tokens):
    """How often the nearest of the first thousand captions says the picture's own words."""
    tokens = tokens[:CAPTIONS]
    nearest = (prompt[:CAPTIONS] @ F.normalize(text(tokens), dim=1).T).argmax(1)
    return (tokens[nearest] == tokens).all(1).float().mean().item()


def measure(image, text, scenes, named):
    """Figures of one set; `named`: its subjects are those that the heads know, and it has captions."""
    seen, labels = see(image, scenes), scenes.labels
    column = {name: labels[:, i] for i, name in enumerate(LABELS)}
    untreated, placed = column['treatment'] == 0, (0 <= column['ground']) & (column['ground'] < len(scene.PLACE_NAMES))
    figures = {
        'pictures': len(labels),
        'place': top(seen['ground'][placed], column['ground'][placed], 1),
        'treatment': top(seen['treatment'], column['treatment'], 1),
        'count': top(seen['count'][untreated], column['count'][untreated], 1),
        'likeness, area under the curve': likeness_area(seen['likeness'], column['sticker']),
        'likeness, area under the curve, untreated': likeness_area(seen['likeness'][untreated], column['sticker'][untreated]),
    }
    if named:
        subject = seen['subject'], column['subject']
        figures |= {'subject': top(*subject, 1), 'subject, top 5': top(*subject, 5),
                    'subject, untreated': top(subject[0][untreated], subject[1][untreated], 1),
                    'own caption among 1000': own_caption(seen['prompt'], text, scenes.tokens)}
    return figures


def main(run, out):
    run = Path(run)
    saved = torch.load(run / 'judge.pt')
    image, text = judge.load(run)
    training = {name: saved[name] for name in ('steps', 'pictures', 'seconds')}
    sets = {what: measure(image, text, Scenes(run, name), name == 'test') for name, what in SETS.items()}
    Path(out, 'judge.json').write_text(json.dumps({'training': training, **sets}, indent=1) + '\n')
    print(json.dumps(sets, indent=1))


if __name__ == '__main__':
    with torch.no_grad():
        main(*sys.argv[1:3])
