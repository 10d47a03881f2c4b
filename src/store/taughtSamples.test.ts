/** Samples that ship taught: one press puts one into the library and draws, and what somebody wrote stays. */
import { expect, it, vi } from 'vitest';
import { scriptedClient, startStudio } from './testing/scriptedStudio.ts';
import { taughtSamples } from './taughtSamples.ts';

const koala = {
  name: 'koala',
  category: 'animal',
  kind: 'object',
  credit: '',
  pictures: ['1.png', '2.png'],
  taught: { file: 'taught.safetensors', drawn: 'taught.png', prompt: 'A photo of {} in the snow' },
} as const;
const untaught = { ...koala, name: 'violin', taught: null };

async function firstVisit(overrides = {}) {
  const client = scriptedClient(overrides);
  const opened = await client.open({ root: '', provider: 'auto', model: null });
  const base = { ...opened.base, hash: 'abc', samples: [koala, untaught] };
  return startStudio({ client: { ...client, open: () => Promise.resolve({ ...opened, base }) } });
}

it('draws with one, once it is in the library with its pictures', async () => {
  const { store } = await firstVisit();
  expect(taughtSamples(store.getState())).toEqual([koala]);
  await store.getState().drawWithSample(koala);
  const { concepts, results, form } = store.getState();
  expect(concepts).toHaveLength(1);
  expect(concepts[0]!.pictures).toHaveLength(2);
  expect(form).toMatchObject({ conceptId: concepts[0]!.id, prompt: 'A photo of {} in the snow' });
  expect(results.length).toBeGreaterThan(0);

  store.getState().edit({ prompt: 'A drawing of {}' });
  await store.getState().drawWithSample(koala);
  expect(store.getState().concepts).toHaveLength(1);
  expect(store.getState().form.prompt).toBe('A drawing of {}');
});

it('says what went wrong at the library', async () => {
  const inspectConcept = vi.fn(() => Promise.reject(new Error('It is damaged.')));
  const { store } = await firstVisit({ inspectConcept });
  await store.getState().drawWithSample(koala);
  expect(store.getState().concepts).toEqual([]);
  expect(store.getState().problems.library).toHaveLength(1);
});
