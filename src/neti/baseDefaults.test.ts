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

  it('are refused with an odd number of pictures a step', async () => {
    await expect(readDefaults(file({ ...officialDefaults, batchSize: 3 }))).rejects.toThrow('batchSize');
  });
});
