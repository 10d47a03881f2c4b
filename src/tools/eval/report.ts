/**
 * What the study found, as files beside the model: evaluation.json (every score, the settings, command and commit),
 * table.md, the charts, the contact sheet of the concepts with its blind test, and the mixing sheet.
 */
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import type { BaseIdentity } from '../../neti/conceptFile.ts';
import type { TrainSettings } from '../../neti/settings.ts';
import { browserLaunch } from '../browser.ts';
import { pngTiles } from '../../pictures/pngPlanes.ts';
import { blindTest, plainRows, sheet, type SheetRow, type Taught } from '../sheets.ts';
import { convergence, mixingCurve, scatter, truncationCurve } from './charts.ts';
import { gridPng } from './drawing.ts';
import { MIXING_STUDY, type MixedPair, type Sweep } from './mix.ts';
import type { Cell } from './scoring.ts';
import { checkpointFile, lastCheckpoint, study } from './study.ts';
import { armRows, markdownTable, summarize } from './summary.ts';

/** Prompts of the contact sheet, by their number in the study. */
const SHEET_PROMPTS = [0, 1, 2, 5];

export interface Findings {
  readonly base: BaseIdentity;
  /** Of every variant. */
  readonly settings: TrainSettings;
  readonly resolution: number;
  /** Where the study was drawn (learn.ts). */
  readonly drawn: string;
  readonly concepts: readonly SampleConcept[];
  readonly cells: readonly Cell[];
  /** NeTI with the studio's settings and with others; none when they were not compared. */
  readonly settingCells: readonly Cell[];
  /** Seconds of training of every cell. */
  readonly seconds: readonly number[];
  readonly mixed: readonly { readonly pair: MixedPair; readonly sweep: Sweep }[];
}

export async function writeReport(findings: Findings, folder: string): Promise<void> {
  const { cells, settings, settingCells, base, seconds, mixed } = findings;
  await mkdir(folder, { recursive: true });
  const write = (name: string, data: string | Uint8Array) => writeFile(join(folder, name), data);
  const summary = summarize(cells);
  const pairs = mixed.map(({ pair }) => pair);
  await write('table.md', `${markdownTable(summary)}\n`);
  await write('scatter.svg', await scatter(summary));
  await write('convergence.svg', await convergence(summary));
  await write('truncation.svg', await truncationCurve(summary));
  await write('mixing.svg', await mixingCurve(pairs));
  const { rows, key } = blindTest(await taught(findings));
  await writeSheets(folder, {
    'concepts.webp': plainRows(await taught(findings)),
    'concepts-blind.webp': rows,
    'mixing.webp': mixingRows(findings),
  });
  const record = {
    command: commandOf(process.argv.slice(2)),
    commit: commitOf(),
    base,
    study,
    settings,
    mixingStudy: MIXING_STUDY,
    blindTest: key,
    secondsACell: seconds,
    summary,
    settingsCompared: armRows(settingCells),
    mixing: pairs,
    cells,
  };
  await write('evaluation.json', `${JSON.stringify(record, null, 1)}\n`);
}

/** The command without the folders of the machine that it ran on. */
function commandOf(options: readonly string[]): string {
  const isFolder = (i: number) => ['--out', '--report'].includes(options[i - 1] ?? '');
  return ['npm run eval --', ...options.map((option, i) => (isFolder(i) ? 'DIR' : option))].join(' ');
}

const commitOf = () => execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();

async function writeSheets(folder: string, sheets: Record<string, readonly SheetRow[]>): Promise<void> {
  const browser = await chromium.launch(browserLaunch());
  try {
    const page = await browser.newPage();
    for (const [name, rows] of Object.entries(sheets))
      await writeFile(join(folder, name), await sheet(page, rows));
  } finally {
    await browser.close();
  }
}

const tile = (planes: Float32Array, side: number) => Buffer.from(gridPng([planes], side));

/** Each concept with NeTI's pictures of four prompts. */
function taught({ drawn, concepts, resolution }: Findings): Promise<Taught[]> {
  const seeds = study.seeds.length;
  return Promise.all(
    concepts.map(async ({ folder, pictures }) => {
      const drawnSheet = await readFile(checkpointFile(drawn, 'neti', folder, lastCheckpoint));
      const tiles = pngTiles(drawnSheet, resolution, seeds);
      const made = SHEET_PROMPTS.flatMap((prompt) => tiles.slice(prompt * seeds, (prompt + 1) * seeds));
      return {
        label: folder,
        given: pictures.map((png) => Buffer.from(png)),
        made: made.map((planes) => tile(planes, resolution)),
      };
    }),
  );
}

/** Appearance concept, the sweep on the first seed, geometry concept. */
function mixingRows({ concepts, mixed, resolution }: Findings): SheetRow[] {
  const given = (folder: string) =>
    Buffer.from(concepts.find((concept) => concept.folder === folder)!.pictures[0]!);
  const size = 3 * resolution ** 2;
  return mixed.map(({ pair: { geometry, appearance }, sweep }) => {
    const first = sweep.map((planes) => tile(planes.subarray(0, size), resolution));
    return {
      label: `${geometry} + ${appearance}`,
      pictures: [given(appearance), null, ...first, null, given(geometry)],
    };
  });
}
