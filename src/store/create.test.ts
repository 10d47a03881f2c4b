/** Making pictures: what is refused, what is kept, and what the truncation slider renders. */
import { decode } from 'fast-png';
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { readOrder } from './order.ts';
import { sliderUnits } from './truncationSeries.ts';
import { fillIn, pixels, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

async function trained(overrides: Parameters<typeof scriptedClient>[0] = {}) {
  const studio = await startStudio({ client: scriptedClient(overrides) });
  await fillIn(studio);
  await studio.store.getState().train();
  return studio;
}

describe('generate', () => {
  it('keeps one result a seed, each with its recipe inside the PNG', async () => {
    const { store, storage } = await trained();
    store
      .getState()
      .edit({ seed: '3', count: 2, prompt: 'A photo of {} on a beach', negativePrompt: 'rain' });
    await store.getState().generate();
    const { records } = await storage.results.list();
    expect(records.map(({ seed }) => seed)).toEqual([3, 4]);
    expect(store.getState().chosenResultId).toBe(store.getState().results[0]?.id);
    const { text, width } = decode(new Uint8Array(await records[0]!.picture.arrayBuffer()));
    expect(width).toBe(2);
    expect(text['parameters']).toBe(
      'A photo of {} on a beach\nNegative prompt: rain\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 5, Seed: 3, ' +
        'Size: 64x64, Model hash: abcdef0123, Model: base, NeTI concept: tin robot, NeTI truncation: 128',
    );
  });

  it('draws a seed where none is given', async () => {
    const { store } = await trained();
    await store.getState().generate();
    expect(store.getState().results.map(({ seed }) => seed)).toEqual([77, 78, 79, 80]);
  });

  it.each([
    ['an empty prompt', { prompt: ' ' }, 'prompt', 'empty'],
    ['no {}', { prompt: 'A photo' }, 'prompt', 'no {}'],
    ['four {}', { prompt: '{} and {} and {} and {}' }, 'prompt', '4 places for concepts'],
    ['a name that nobody has', { prompt: 'A {teapot}' }, 'prompt', 'No concept is called “teapot”'],
    ['a long prompt', { prompt: `{}${' a'.repeat(30)}` }, 'prompt', '31 tokens'],
    [
      'a long negative prompt',
      { negativePrompt: 'a '.repeat(30) },
      'negativePrompt',
      'The negative prompt has',
    ],
    ['a concept to leave out', { negativePrompt: 'a {}' }, 'negativePrompt', 'only the prompt can name'],
    ['a wild seed', { seed: '1.5' }, 'seed', '“1.5”'],
    ['too many steps', { steps: '900' }, 'steps', 'from 1 to 200'],
    ['no guidance', { guidanceScale: '' }, 'guidanceScale', 'it is empty'],
  ] as const)('refuses %s at its field', async (_, edit, field, message) => {
    const { store } = await trained();
    store.getState().edit(edit);
    await store.getState().generate();
    expect(store.getState().fieldProblems[field]).toContain(message);
    expect(store.getState().results).toEqual([]);
    expect(store.getState().generation).toBeNull();
  });

  it('asks for a concept when the prompt has {} and none is chosen', async () => {
    const { store } = await startStudio();
    await store.getState().generate();
    expect(store.getState().fieldProblems.prompt).toContain('no concept is chosen');
  });

  it('runs once in a storm of clicks', async () => {
    const generate = vi.fn(scriptedClient().generate);
    const { store } = await trained({ generate });
    await Promise.all(Array.from({ length: 20 }, () => store.getState().generate()));
    expect(generate).toHaveBeenCalledTimes(1);
  });

  it('is ready for the next one after a failure and after a cancellation', async () => {
    const failures = [new AppError('worker.died', 'It stopped.'), new AppError('cancelled', 'Cancelled.')];
    const { store } = await trained({
      generate: ({ seeds }) => {
        const failure = failures.shift();
        return failure
          ? Promise.reject(failure)
          : Promise.resolve({ pictures: seeds.map(pixels), seconds: 1 });
      },
    });
    await store.getState().generate();
    expect(store.getState().problems.create[0]).toMatchObject({ code: 'worker.died' });
    await store.getState().generate();
    expect(store.getState().problems.create).toEqual([]);
    await store.getState().generate();
    expect(store.getState().results).toHaveLength(4);
  });

  it('deletes and brings back', async () => {
    const { store, storage } = await trained();
    await store.getState().generate();
    const [first, second] = store.getState().results;
    await store.getState().deleteResults([first!.id, second!.id]);
    expect((await storage.results.list()).records).toHaveLength(2);
    await store.getState().undo();
    expect(store.getState().results).toHaveLength(4);
    expect((await storage.results.list()).records).toHaveLength(4);
  });
});

describe('the slider', () => {
  it('renders the same seed at the new truncation, a draft first', async () => {
    const generate = vi.fn(scriptedClient().generate);
    const { store } = await trained({ generate });
    store.getState().edit({ seed: '5', count: 1 });
    await store.getState().generate();
    store.getState().setTruncation(10);
    await vi.waitFor(() => expect(store.getState().live?.quality).toBe('full'));
    const renders = generate.mock.calls
      .slice(1, 3)
      .map(([{ seeds, steps, truncation }]) => [seeds, steps, truncation]);
    expect(renders).toEqual([
      [[5], 6, 10],
      [[5], 20, 10],
    ]);
    await store.getState().keepLive();
    expect(store.getState().results.map(({ truncation }) => truncation)).toEqual([128, 10]);
  });
});

describe('a concept of other hidden units than the default', () => {
  /** A studio into which concepts of these hidden units are imported one after the other. */
  async function withUnits(...units: number[]) {
    const info = await scriptedClient().inspectConcept(new Uint8Array());
    const generate = vi.fn(scriptedClient().generate);
    const inspectConcept = (file: Uint8Array) => {
      const word = { vectors: 1, plain: false, hidden: Number(new TextDecoder().decode(file)) };
      return Promise.resolve({ ...info, baseHash: 'abcdef0123456789', word });
    };
    const studio = await startStudio({ client: scriptedClient({ generate, inspectConcept }) });
    for (const each of units)
      await studio.store.getState().importConcepts([new File([`${each}`], 'concept.safetensors')]);
    studio.store.getState().edit({ prompt: 'my {}', count: 1 });
    return { ...studio, generate };
  }

  it.each([64, 256])('is drawn whole, and the slider goes from 1 to %i', async (hidden) => {
    const { store, generate } = await withUnits(hidden);
    await store.getState().generate();
    expect(generate.mock.calls[0]![0].truncation).toBe(hidden);
    expect([sliderUnits(store.getState()), store.getState().form.truncation]).toEqual([hidden, hidden]);
    store.getState().setTruncation(1);
    await vi.waitFor(() => expect(store.getState().live).toMatchObject({ truncation: 1, quality: 'full' }));
  });

  it('stays whole when another is chosen, and never has more units than there are', async () => {
    const { store } = await withUnits(64, 256, 128);
    const [small, large, usual] = store.getState().concepts.map(({ id }) => id);
    const kept = (conceptId: string | undefined) => {
      store.getState().selectConcept(conceptId!);
      return store.getState().form.truncation;
    };
    expect([kept(small), kept(large), kept(usual)]).toEqual([64, 256, 128]);
    kept(large);
    store.getState().setTruncation(100);
    expect([kept(usual), kept(small), kept(large)]).toEqual([100, 64, 256]);
  });

  it('mixed with a larger one is whole before that is', async () => {
    const { store } = await withUnits(256, 64);
    const [large] = store.getState().concepts;
    store.getState().edit({ appearanceId: large!.id });
    expect(readOrder(store.getState(), () => 0).recipe.truncation).toBe(256);
  });
});

describe('a word of several vectors', () => {
  /** Imported and chosen; the client counts words, and at the mark as many tokens as it is told. */
  async function withWord({ plain } = { plain: true }) {
    const info = await scriptedClient().inspectConcept(new Uint8Array());
    const baseHash = 'abcdef0123456789';
    const generate = vi.fn(scriptedClient().generate);
    const client = scriptedClient({
      generate,
      inspectConcept: () => Promise.resolve({ ...info, baseHash, word: { vectors: 5, plain, hidden: 128 } }),
      checkPrompt: (prompt, vectors) => {
        const conceptTokens = prompt.includes('{}') ? vectors[0]! : 0;
        const tokens = prompt.split(' ').filter((word) => word !== '{}').length + conceptTokens;
        return Promise.resolve({ tokens, conceptTokens, maxTokens: 8 });
      },
    });
    const studio = await startStudio({ client });
    await studio.store.getState().importConcepts([new File(['x'], 'word.pt')]);
    return { ...studio, generate };
  }

  it.each([true, false])('takes its share of a prompt, which says so (plain: %s)', async (plain) => {
    const { store } = await withWord({ plain });
    store.getState().edit({ prompt: 'a photo of {} here' });
    await store.getState().checkPrompt();
    expect(store.getState().promptCheck).toMatchObject({ tokens: 9, maxTokens: 8 });
    await store.getState().generate();
    expect(store.getState().fieldProblems.prompt).toContain('9 tokens, 5 of them for concepts;');
    expect(store.getState().results).toEqual([]);
  });

  it('is drawn again at another truncation if it has its own vectors in each layer', async () => {
    const { store } = await withWord({ plain: false });
    store.getState().edit({ prompt: 'my {}', count: 1 });
    await store.getState().generate();
    store.getState().setTruncation(3);
    await vi.waitFor(() => expect(store.getState().live?.quality).toBe('full'));
  });

  it('is drawn at one truncation only if it is plain', async () => {
    const { store, generate } = await withWord();
    store.getState().edit({ prompt: 'my {}', count: 1 });
    await store.getState().generate();
    store.getState().setTruncation(3);
    await new Promise((resolve) => setTimeout(resolve, 450));
    expect(generate).toHaveBeenCalledTimes(1);
    expect(store.getState().live).toBeNull();
  });
});
