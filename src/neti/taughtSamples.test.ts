/** The samples that ship taught: of the shipped base, and a megabyte together. After a new base, `npm run teach-samples` makes them anew. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { manifestSchema } from '../lib/manifest.ts';
import { readConcept } from './conceptFile.ts';

const models = new URL('../../models/', import.meta.url);
const manifest = manifestSchema.parse(JSON.parse(await readFile(new URL('manifest.json', models), 'utf8')));
const entry = manifest.models[0]!;
const taught = entry.samples.flatMap((sample) => (sample.taught ? [{ ...sample, ...sample.taught }] : []));
const home = new URL(`${entry.path}/`, models);

it.each(taught)('$name was taught on the shipped base', async ({ name, category, file }) => {
  const concept = await readConcept(await readFile(new URL(file, home)), { id: entry.id, hash: entry.hash });
  expect(concept.info).toMatchObject({ name, category });
  expect(concept.info.word.hidden).toBeGreaterThan(32);
});

it('are several, in less than a megabyte', () => {
  const paths = new Set(taught.flatMap(({ file, drawn }) => [file, drawn]));
  const bytes = entry.files.filter(({ path }) => paths.has(path)).reduce((sum, each) => sum + each.bytes, 0);
  expect(taught.length).toBeGreaterThanOrEqual(6);
  expect(bytes).toBeLessThan(1e6);
});
