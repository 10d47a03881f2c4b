/** Where training and sampling start on a base of one's own, and which defaults are taken. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { missingFile } from '../lib/modelFiles.ts';
import { officialDefaults, readDefaults } from './baseDefaults.ts';

describe('the defaults of a base', () => {
  const file = (content: unknown) => () => Promise.resolve(new Blob([JSON.stringify(content)]));

  it('are the official ones where it brings none', async () => {
    expect(await readDefaults((path) => Promise.reject(missingFile('test', path)))).toEqual(officialDefaults);
  });

  it('are its own where it has them', async () => {
    const own = { ...officialDefaults, batchSize: 4, guidanceScale: 5 };
    expect(await readDefaults(file(own))).toEqual(own);
  });

  it.each([
    ['another form', { steps: 3 }],
    ['an odd number of pictures a step', { ...officialDefaults, batchSize: 3 }],
    ['more steps than the form takes', { ...officialDefaults, samplingSteps: 201 }],
  ])('are the official ones where the file is of %s', async (_, content) => {
    expect(await readDefaults(file(content))).toBe(officialDefaults);
  });

  it('that ship are of that form', async () => {
    const shipped = await readFile('models/sticker-world/defaults.json', 'utf8');
    expect(await readDefaults(file(JSON.parse(shipped)))).toEqual(JSON.parse(shipped));
  });
});
