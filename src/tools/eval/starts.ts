/**
 * `npm run eval-starts -- --out DIR [--concepts 12] [--part 1/2] [--report DIR]`: what the base's starting mapper is worth. NeTI learns
 * the held-out concepts from it and from the official start, with the same pictures and seeds; the judge scores the study's prompts after
 * 10 to 150 steps. What is there already is kept; --part does every second (third, …) training and stops.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { AppError } from '../../lib/errors.ts';
import { TRAINING_STARTS } from '../../lib/trainingStart.ts';
import { trainSettingsOn } from '../../neti/baseDefaults.ts';
import { pngTiles } from '../../pictures/pngPlanes.ts';
import { browserLaunch } from '../browser.ts';
import { sheet, type SheetRow } from '../sheets.ts';
import { chosenPart, openBench, openJudge, teachAll, type OpenBench } from './bench.ts';
import { convergence } from './charts.ts';
import { gridPng } from './drawing.ts';
import { scoreStudy } from './scoring.ts';
import { checkpointFile, START_CHECKPOINTS, startArm, study, type Arm } from './study.ts';
import { armRows, startDifferences, startTable } from './summary.ts';

/** Of the sheet: what of the study's prompts, and after how many steps. */
const SHEET = { prompts: [0, 2], steps: [10, 25, 100], cell: 64 } as const;

/** The starting mapper after few steps against the official start after more. */
const SOONER: [number, number][] = [
  [25, 50],
  [25, 100],
];
const same = (step: number): [number, number] => [step, step];

/** Each concept's first picture, then the first seed of the sheet's prompts after a few steps, start by start. */
async function rowsOf({ concepts, out, pipeline }: OpenBench, arms: readonly Arm[]): Promise<SheetRow[]> {
  const side = pipeline.shape.resolution;
  const drawn = async (arm: Arm, folder: string, step: number) => {
    const tiles = pngTiles(
      await readFile(checkpointFile(out, arm.name, folder, step)),
      side,
      study.seeds.length,
    );
    return SHEET.prompts.map((prompt) => Buffer.from(gridPng([tiles[prompt * study.seeds.length]!], side)));
  };
  return Promise.all(
    concepts.map(async ({ folder, pictures }) => {
      const parts = arms.map(async (arm) =>
        (await Promise.all(SHEET.steps.map((step) => drawn(arm, folder, step)))).flat(),
      );
      const made = (await Promise.all(parts)).flatMap((part) => [null, ...part]);
      return { label: folder, pictures: [Buffer.from(pictures[0]!), ...made] };
    }),
  );
}

async function writeSheet(file: string, rows: readonly SheetRow[]): Promise<void> {
  const browser = await chromium.launch(browserLaunch());
  try {
    await writeFile(file, await sheet(await browser.newPage(), rows, SHEET.cell));
  } finally {
    await browser.close();
  }
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    concepts: { type: 'string', default: '12' },
    part: { type: 'string' },
    report: { type: 'string' },
  },
});
if (!values.out)
  throw new Error('Expected: npm run eval-starts -- --out DIR [--concepts 12] [--part 1/2] [--report DIR]');
const part = chosenPart(values.part);
const bench = await openBench(values.out, Number(values.concepts), part.parts);
if (!bench.startingMapper)
  throw new AppError(
    'eval.start',
    'The base has no starting mapper, so there is nothing to compare. Make one first.',
  );
const settings = trainSettingsOn(bench.defaults);
const arms = TRAINING_STARTS.map((start) => startArm(start, settings));
await teachAll(
  bench,
  bench.concepts.flatMap((concept) => arms.map((arm) => [arm, concept] as const)),
  part,
);
if (values.part) process.exit();

const { resolution } = bench.pipeline.shape;
const cells = await scoreStudy(await openJudge(bench), resolution, bench.out, arms, bench.concepts);
const rows = armRows(cells);
const [learned, official] = arms.map(({ name }) => name) as [string, string];
const differences = startDifferences(cells, [learned, official], [...START_CHECKPOINTS.map(same), ...SOONER]);
const record = {
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim(),
  base: bench.base,
  startHash: bench.startHash,
  study: { ...study, checkpoints: START_CHECKPOINTS },
  settings,
  rows,
  differences,
  cells,
};
const report = resolve(values.report ?? join(bench.folder, 'evaluation'));
await mkdir(report, { recursive: true });
await writeFile(join(report, 'starts.json'), `${JSON.stringify(record, null, 1)}\n`);
await writeFile(join(report, 'starts.svg'), await convergence({ arms: rows }));
await writeSheet(join(report, 'starts.webp'), await rowsOf(bench, arms));
console.log(startTable(rows, differences));
console.log(`The findings are in ${report}.`);
process.exit();
