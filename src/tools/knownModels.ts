/**
 * npm run known-models [-- --check]
 *
 * Plans the memory of each model of models/known.json from the header of its architecture at its real width, in both precisions, and
 * writes what it finds there; with --check it says whether that is there already.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { knownModelsSchema } from '../intake/knownModels.ts';
import { plannedNeeds } from '../intake/testing/realArchitectures.ts';

const path = new URL('../../models/known.json', import.meta.url);
const { models } = knownModelsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
const planned: object[] = [];
for (const model of models) {
  console.log(model.name);
  planned.push({ ...model, needs: await plannedNeeds(model.architecture, model.bytes) });
}
const text = `${JSON.stringify({ models: planned }, null, 2)}\n`;
if (!process.argv.includes('--check')) await writeFile(path, text);
else if (text !== (await readFile(path, 'utf8'))) {
  console.error('models/known.json is not what is planned now: run npm run known-models');
  process.exitCode = 1;
}
