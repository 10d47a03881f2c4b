/** Which files are concepts and which belong together. */
import { describe, expect, it } from 'vitest';
import { groupConceptFiles, isConceptFile, partnerOf } from './importFiles.ts';

const files = (...names: string[]) => names.map((name) => ({ name }));

describe('import files', () => {
  it('are known by their names', () => {
    expect(['a.safetensors', 'a.PT', 'a.bin'].every((name) => isConceptFile({ name }))).toBe(true);
    expect(['a.png', 'pt', 'a.pt.zip'].some((name) => isConceptFile({ name }))).toBe(false);
  });

  it('of one official concept belong together, in any order', () => {
    const dropped = files(
      'learned_embeds-steps-250.bin',
      'a.safetensors',
      'mapper-steps-250.pt',
      'mapper-steps-500.pt',
      'learned_embeds-final.bin',
      'cat.pt',
      'cat.bin',
    );
    const names = groupConceptFiles(dropped).map((group) => group.map(({ name }) => name));
    expect(names).toEqual([
      ['a.safetensors'],
      ['mapper-steps-250.pt', 'learned_embeds-steps-250.bin'],
      ['mapper-steps-500.pt'],
      ['learned_embeds-final.bin'],
      ['cat.pt'],
      ['cat.bin'],
    ]);
  });

  it('name their partner', () => {
    expect(partnerOf('mapper-final.pt', 'mapper')).toBe('learned_embeds-final.bin');
    expect(partnerOf('learned_embeds-steps-5.bin', 'embeds')).toBe('mapper-steps-5.pt');
    expect(partnerOf('learned_embeds.bin', 'embeds')).toBeUndefined();
  });
});
