/**
 * `npm run eval -- --out DIR [--variants neti,xti | all] [--concepts 12] [--batch 4] [--settings] [--part 1/2] [--report DIR]`:
 * the paper's comparison on the shipped base. Trains every variant on every held-out concept, with the base's own pictures a
 * step unless --batch says otherwise, and draws the study's prompts into --out; what is there already is kept, so it may be cut
 * and run again. --settings adds NeTI with other settings. --part does every second (third, …) training and stops: parts run
 * side by side. Then the judge scores everything, and --report (models/…/evaluation) gets what was found.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { trainSettingsOn } from '../../neti/baseDefaults.ts';
import { createBridge } from '../../neti/bridge.ts';
import { variantNames, type VariantName } from '../../neti/variants.ts';
import { chosenPart, openBench, openJudge, teachAll } from './bench.ts';
import { mixPair, pairsOf } from './mix.ts';
import { writeReport } from './report.ts';
import { scoreStudy } from './scoring.ts';
import { MAIN_VARIANTS, settingArms, settingConcepts, variantArm, type Arm } from './study.ts';

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
const variants = chosenVariants(values.variants);
const part = chosenPart(values.part);
const bench = await openBench(values.out, Number(values.concepts), part.parts);
const { pipeline, base, concepts, defaults, out } = bench;
const batchSize = Number(values.batch ?? defaults.batchSize);
if (!(batchSize > 0 && batchSize % 2 === 0))
  throw new Error(`Expected an even number of pictures a step, found --batch ${values.batch}.`);
const settings = trainSettingsOn({ ...defaults, batchSize });
const arms = variants.map((name) => variantArm(name, settings));
const otherArms = values.settings ? settingArms(settings) : [];
const lessons = [
  ...concepts.flatMap((concept) => arms.map((arm) => [arm, concept] as const)),
  ...settingConcepts(concepts).flatMap((concept) => otherArms.map((arm) => [arm, concept] as const)),
];
const seconds = await teachAll(bench, lessons, part);
if (values.part) process.exit();

const { resolution } = pipeline.shape;
const judge = await openJudge(bench);
const score = (some: readonly Arm[], of: readonly SampleConcept[]) =>
  scoreStudy(judge, resolution, out, some, of);
const cells = await score(arms, concepts);
const settingCells = values.settings
  ? await score([variantArm('neti', settings), ...otherArms], settingConcepts(concepts))
  : [];
const bridge = createBridge(pipeline.runtime);
const mixed = [];
for (const [geometry, appearance] of pairsOf(concepts)) {
  mixed.push(await mixPair({ pipeline, bridge, judge, out }, geometry, appearance));
  console.log(`mixed ${geometry.folder} with ${appearance.folder}`);
}
const report = resolve(values.report ?? join(bench.folder, 'evaluation'));
await writeReport(
  { base, settings, resolution, drawn: out, concepts, cells, settingCells, seconds, mixed },
  report,
);
console.log(`The findings are in ${report}.`);
