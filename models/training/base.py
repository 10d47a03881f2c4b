"""Trains the base in the background, for hours or days: may be ended at any moment and begun again.

    python base.py RUN_DIR go [--plan '{"pictures": 3000000}'] [--from WEIGHTS_DIR] [--processes 2]
    python base.py RUN_DIR status
    python base.py RUN_DIR sheet

RUN_DIR lies outside the checkout and holds stickers/ (pack-stickers.mjs world), vae/ (vae.safetensors, vae.json); `go` makes
tokenizer/ and scenes/ and trains in unet/, at the lowest priority. `--from` starts from another run's averaged weights. Every hour a
sheet of what it draws is added.
"""
import argparse
import json
import os
import time
from pathlib import Path

# Threads that wait must sleep: they share the machine with other work.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

from tokenizers import Tokenizer  # noqa: E402  (torch reads the environment)

import tokenizer as words  # noqa: E402
from trainer.light_vae import load_vae  # noqa: E402
from trainer.loop import Plan, Trainer, run as train, write_aside  # noqa: E402
from trainer.networks import shape_of  # noqa: E402
from trainer.scenes import Scenes  # noqa: E402
from trainer.sheet import write_sheet  # noqa: E402
from trainer.team import run_together  # noqa: E402

HOUR = 3600


def go(team, folder, plan, weights):
    vae, scale = load_vae(folder / 'vae')
    shape = shape_of(Tokenizer.from_file(str(folder / 'tokenizer/tokenizer.json')), **plan.pop('shape', {}))
    trainer = Trainer(folder / 'unet', shape, Plan(**plan), Scenes(folder, vae, scale), weights, team)
    drawn = time.time()

    def say(report):
        nonlocal drawn
        report = {'at': time.strftime('%F %T'), **report}
        with open(folder / 'log.jsonl', 'a') as log:
            log.write(json.dumps(report) + '\n')
        write_aside(folder / 'status.json', lambda path: path.write_text(json.dumps(report, indent=1) + '\n'))
        if time.time() - drawn > HOUR or report['pictures'] >= report['of']:
            write_sheet(folder, folder / 'unet', folder / f"sheet-{report['pictures'] // 1000}k.webp")
            drawn = time.time()

    train(trainer, say)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('run', type=Path)
    parser.add_argument('what', choices=('go', 'status', 'sheet'))
    parser.add_argument('--plan', type=json.loads, default=None)
    parser.add_argument('--from', dest='weights', type=Path)
    parser.add_argument('--processes', type=int, default=os.cpu_count())
    given = parser.parse_args()
    if given.what == 'go':
        begun = given.run / 'plan.json'
        plan = given.plan if given.plan is not None else json.loads(begun.read_text()) if begun.exists() else {}
        write_aside(begun, lambda path: path.write_text(json.dumps(plan)))
        os.nice(19)
        if not (given.run / 'tokenizer/tokenizer.json').exists():
            words.save(given.run / 'tokenizer')
        run_together(given.processes, go, given.run, plan, given.weights)
    elif given.what == 'sheet':
        write_sheet(given.run, given.run / 'unet', given.run / 'sheet.webp')
    else:
        print((given.run / 'status.json').read_text() if (given.run / 'status.json').exists() else 'not begun')


if __name__ == '__main__':
    main()
