/** npm run fuzz: damaged files of every kind, from a seed; what is not refused by name or takes too long ends it with an error. */
import { parseArgs } from 'node:util';
import { KINDS } from './fuzz/kinds.ts';
import { fuzz } from './fuzz/run.ts';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string', multiple: true, default: Object.keys(KINDS) },
  },
});
const SLOWEST_MS = 2000;
const MOST_MEMORY_MB = 1000;

let failures = 0;
for (const kind of values.kind) {
  const { files, slowest, slowestFile, outcomes, raw } = await fuzz(
    kind,
    Number(values.files),
    Number(values.seed),
  );
  const memory = process.resourceUsage().maxRSS / 1024;
  const counts = [...outcomes].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
  console.info(
    `${kind}: ${files} files, slowest ${slowest.toFixed(0)} ms (${slowestFile}), ${memory.toFixed(0)} MB at most`,
  );
  console.info(`  ${counts.join(', ')}`);
  for (const error of raw.slice(0, 5)) console.info(`  RAW ${error}`);
  if (raw.length > 0 || slowest > SLOWEST_MS || memory > MOST_MEMORY_MB) failures += 1;
}
process.exitCode = failures > 0 ? 1 : 0;
