/** Grids: how axes are read, what each cell is drawn with, what is kept when one is cancelled and drawn on. */
import { describe, expect, it } from 'vitest';
import { openMemoryStorage } from '../storage/storage.ts';
import { readAxis } from './gridAxes.ts';
import type { Form } from './state.ts';
import { recordingGenerate, scriptedClient, startStudio, teachAll } from './testing/scriptedStudio.ts';

/** A studio with two concepts of 30 steps, the second chosen, and the requests its worker gets. */
async function withTwoConcepts() {
  const { requests, generate } = recordingGenerate();
  const client = scriptedClient({ generate });
  const storage = openMemoryStorage();
  const studio = await startStudio({ client, storage });
  await teachAll(studio, ['tin robot', 'teapot']);
  studio.store.getState().edit({ prompt: 'a {}', seed: '5' });
  const ids = studio.store.getState().concepts.map(({ id }) => id);
  const draw = async (x: Partial<Form['gridX']>, y: Partial<Form['gridY']>) => {
    const blank = { text: '', chosen: [], field: 'seed' } as const;
    studio.store.getState().edit({ gridX: { ...blank, ...x }, gridY: { ...blank, ...y } });
    await studio.store.getState().drawGrid();
    return studio.store.getState();
  };
  return { ...studio, storage, requests, ids, draw };
}

describe('an axis', () => {
  it.each([
    ['seed', '1, 2 7-9', ['1', '2', '7', '8', '9']],
    ['guidanceScale', '1; 2.5 2.5', ['1', '2.5']],
    ['mixing', '0 50', ['0 %', '50 %']],
    ['prompt', ' a {}\n\nb {}\na {}', ['a {}', 'b {}']],
  ] as const)('of %s reads “%s”', async (field, text, labels) => {
    const { store } = await startStudio();
    store.getState().edit({ gridX: { field, text, chosen: [] } });
    expect(readAxis(store.getState(), 'gridX').values.map(({ label }) => label)).toEqual(labels);
  });

  it.each([
    [{ field: 'steps', text: '5, 900' }, { text: '1' }, 'gridX', 'from 1 to 200'],
    [{ field: 'steps', text: ' ' }, { text: '1' }, 'gridX', 'has no values'],
    [{ text: '1-3' }, { text: '1-3' }, 'gridY', 'Both axes are the same'],
    [{ text: '1-99999999' }, { field: 'steps', text: '5' }, 'gridY', 'at most 100'],
    [{ text: '1-51' }, { field: 'steps', text: '5, 6' }, 'gridY', '102 pictures'],
    [{ field: 'prompt', text: 'a {}\nnothing' }, { text: '1' }, 'gridX', '“nothing”: The prompt has no {}'],
    [{ field: 'mixing', text: '10' }, { text: '1' }, 'gridX', 'Mix two concepts first'],
  ] as const)('%j by %j is refused', async (x, y, field, message) => {
    const { store, requests, draw } = await withTwoConcepts();
    await draw(x, y);
    expect(store.getState().fieldProblems[field]).toContain(message);
    expect(requests).toEqual([]);
  });
});

describe('a grid', () => {
  it('draws a cell for each pair of values, row by row, and is there after a reload', async () => {
    const { requests, storage, draw } = await withTwoConcepts();
    const { grid, results } = await draw({ field: 'truncation', text: '1, 500' }, { text: '3, 4' });
    expect(requests.map(({ truncation, seeds }) => [truncation, ...seeds])).toEqual([
      [1, 3],
      [128, 3],
      [1, 4],
      [128, 4],
    ]);
    expect(grid).toMatchObject({
      x: { title: 'Truncation', labels: ['1', '128'] },
      y: { labels: ['3', '4'] },
    });
    expect(grid!.cells.map((cell) => [cell!.truncation, cell!.seed])).toEqual(
      requests.map(({ truncation, seeds }) => [truncation, ...seeds]),
    );
    expect(results).toEqual([]);
    const { store } = await startStudio({ storage });
    expect(store.getState().grid).toEqual(grid);
  });

  it('goes through concepts and their training steps', async () => {
    const { store, requests, ids, draw } = await withTwoConcepts();
    await draw({ field: 'trainedStep', chosen: ['10', '20'] }, { field: 'concept', chosen: ids });
    const [robot, teapot] = store.getState().concepts;
    const preview = (concept: typeof robot, step: number) =>
      concept!.previews.find((each) => each.step === step)!.file;
    expect(requests.map(({ concept }) => concept!.file)).toEqual([
      preview(robot, 10),
      preview(robot, 20),
      preview(teapot, 10),
      preview(teapot, 20),
    ]);
    const recipes = store.getState().grid!.cells.map((cell) => [cell!.conceptName, cell!.trainedStep]);
    expect(recipes).toEqual([
      ['tin robot', 10],
      ['tin robot', 20],
      ['teapot', 10],
      ['teapot', 20],
    ]);
  });

  it('keeps what is there when it is cancelled, and draws the rest when asked again', async () => {
    const { store, requests, draw } = await withTwoConcepts();
    store.getState().edit({ seed: '' });
    const stop = store.subscribe(({ grid, cancelGeneration }) => {
      if (grid?.cells.filter((cell) => cell !== null).length === 2) cancelGeneration();
    });
    await draw({ field: 'steps', text: '2-4' }, { field: 'sampler', chosen: ['ddim', 'euler'] });
    stop();
    expect(store.getState().grid!.cells.map((cell) => cell !== null)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    await store.getState().drawGrid();
    expect(store.getState().grid!.cells.every((cell) => cell !== null)).toBe(true);
    expect(requests.map(({ sampler, steps }) => `${sampler} ${steps}`)).toEqual([
      'ddim 2',
      'ddim 3',
      'ddim 4',
      'euler 2',
      'euler 3',
      'euler 4',
    ]);
    expect(new Set(requests.map(({ seeds }) => seeds[0])).size).toBe(1);
  });

  it('gives a cell to the results once, and tells of itself as AUTOMATIC1111’s script does', async () => {
    const { store, draw } = await withTwoConcepts();
    await draw({ field: 'guidanceScale', text: '2, 3' }, { text: '5' });
    await store.getState().keepGridCell(1);
    await store.getState().keepGridCell(1);
    expect(store.getState().results.map(({ guidanceScale }) => guidanceScale)).toEqual([3]);
    expect(store.getState().gridText()).toMatch(
      /^a \{\}\nSteps: 20, .*, Script: X\/Y\/Z plot, X Type: Guidance, X Values: "2, 3", Y Type: Seed, Y Values: "5"$/,
    );
  });
});
