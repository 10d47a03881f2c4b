/**
 * `npm run eval -- --out DIR [--variants neti,xti | all] [--concepts 12] [--batch 4] [--settings] [--part 1/2] [--report DIR]`:
 * the paper's comparison on the shipped base. Trains every variant on every held-out concept, with the base's own pictures a
 * step unless --batch says otherwise, and draws the study's prompts into --out; what is there already is kept, so it may be cut
 * and run again. --settings adds NeTI with other settings. --part does every second (third, …) training and stops: parts run
 * side by side. Then the judge scores everything, and --report (models/…/evaluation) gets what was found.
 */
import { readConcepts, type SampleConcept } from '../../lib/sampleConcepts.ts';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from '../../lib/zod.ts';
import { Judge } from '../../diffusion/judge.ts';
import { Pipeline } from '../../diffusion/pipeline.ts';
import { manifestSchema } from '../../lib/manifest.ts';
import { createBridge } from '../../neti/bridge.ts';
import { readDefaults, trainSettingsOn } from '../../neti/baseDefaults.ts';
import { variantNames, type VariantName } from '../../neti/variants.ts';
import { openFolder } from '../../lib/modelFolder.ts';
import { nativeRuntime } from '../nativeRuntime.ts';
import { learn } from './learn.ts';
import { mixPair, pairsOf } from './mix.ts';
import { writeReport } from './report.ts';
import { scoreStudy } from './scoring.ts';
import { MAIN_VARIANTS, settingArms, settingConcepts, variantArm, type Arm } from './study.ts';

const models = join(import.meta.dirname, '../../../models');
const wordsSchema = z.object({ templates: z.object({ object: z.array(z.string()) }) });
const USAGE =
  'npm run eval -- --out DIR [--variants neti,xti | all] [--concepts 12] [--batch 4] [--settings] [--part 1/2] [--report DIR]';

/** NeTI is always among them: the others are compared with it. */
function chosenVariants(option: string | undefined): readonly VariantName[] {
  if (option === undefined) return MAIN_VARIANTS;
  if (option === 'all') return variantNames;
  const chosen = option.split(',').map((name) => {
    const known = variantNames.find((each) => each === name);
    if (known) return known;
    throw new Error(`Expected variants among ${variantNames.join(', ')}, found ${name}.`);
  });
  return [...new Set<VariantName>(['neti', ...chosen])];
}

/** One part of how many, from 1. */
function chosenPart(option: string | undefined): { readonly part: number; readonly parts: number } {
  const [part, parts] = (option ?? '1/1').split('/').map(Number);
  if (part && parts && part <= parts) return { part, parts };
  throw new Error(`Expected a part as 1/2, found --part ${option}.`);
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    variants: { type: 'string' },
    concepts: { type: 'string', default: '12' },
    batch: { type: 'string' },
    settings: { type: 'boolean', default: false },
    part: { type: 'string' },
    report: { type: 'string' },
  },
});
if (!values.out) throw new Error(`Expected: ${USAGE}`);
const out = resolve(values.out);
const variants = chosenVariants(values.variants);
const { models: entries } = manifestSchema.parse(
  JSON.parse(await readFile(join(models, 'manifest.json'), 'utf8')),
);
const entry = entries[0]!;
const folder = join(models, entry.path);
const open = openFolder(folder);
const { part, parts } = chosenPart(values.part);
const runtime = nativeRuntime(Math.max(1, Math.floor(availableParallelism() / parts)));
const pipeline = await Pipeline.load(runtime, open);
const { templates } = wordsSchema.parse(JSON.parse(await readFile(join(folder, 'words.json'), 'utf8')));
const base = { id: entry.id, hash: entry.hash };
const bench = { pipeline, templates: templates.object, base, out };
const concepts = (await readConcepts(folder)).slice(0, Number(values.concepts));
const seconds: number[] = [];
const teach = async (arm: Arm, concept: SampleConcept) => {
  const cell = await learn(bench, arm, concept);
  seconds.push(cell.seconds);
  const said = cell.isNew ? 'trained' : 'there already';
  console.log(`${concept.folder}, ${arm.name}: ${said}, ${cell.seconds.toFixed(0)} s`);
};
const defaults = await readDefaults(open);
const batchSize = Number(values.batch ?? defaults.batchSize);
if (!(batchSize > 0 && batchSize % 2 === 0))
  throw new Error(`Expected an even number of pictures a step, found --batch ${values.batch}.`);
const settings = trainSettingsOn({ ...defaults, batchSize });
const otherArms = values.settings ? settingArms(settings) : [];
const lessons = [
  ...concepts.flatMap((concept) => variants.map((name) => [variantArm(name, settings), concept] as const)),
  ...settingConcepts(concepts).flatMap((concept) => otherArms.map((arm) => [arm, concept] as const)),
];
for (const [i, [arm, concept]] of lessons.entries()) if (i % parts === part - 1) await teach(arm, concept);
if (values.part) process.exit();

const { tokenizer, shape } = pipeline;
const { resolution } = shape;
const judge = await Judge.load({ runtime, open, tokenizer, resolution });
const score = (arms: readonly string[], some: readonly SampleConcept[]) =>
  scoreStudy(judge, resolution, out, arms, some);
const cells = await score(variants, concepts);
const settingNames = ['neti', ...otherArms.map(({ name }) => name)];
const settingCells = values.settings ? await score(settingNames, settingConcepts(concepts)) : [];
const bridge = createBridge(runtime);
const mixed = [];
for (const [geometry, appearance] of pairsOf(concepts)) {
  mixed.push(await mixPair({ pipeline, bridge, judge, out }, geometry, appearance));
  console.log(`mixed ${geometry.folder} with ${appearance.folder}`);
}
const report = resolve(values.report ?? join(folder, 'evaluation'));
await writeReport(
  { base, settings, resolution, drawn: out, concepts, cells, settingCells, seconds, mixed },
  report,
);
console.log(`The findings are in ${report}.`);
