/** Concepts that a prompt calls by name: who is meant, what reaches the worker and the record, and what is said where nobody is. */
import { describe, expect, it, vi } from 'vitest';
import type { ScoreRequest } from '../worker/api.ts';
import { callableConcepts, nameProblems } from './calledConcepts.ts';
import { fittingConcepts, unfinishedName } from './completion.ts';
import { conceptsOf } from './pictureConcepts.ts';
import { pngText, recipeDetails } from './recipe.ts';
import { fillIn, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

/** A studio with three concepts, the last chosen. */
async function withConcepts(overrides: Parameters<typeof scriptedClient>[0] = {}) {
  const generate = vi.fn(scriptedClient().generate);
  const studio = await startStudio({ client: scriptedClient({ generate, ...overrides }) });
  for (const [name, category] of [
    ['tin robot', 'toy'],
    ['Théière', 'pot'],
    ['lamp', 'lamp'],
  ] as const) {
    await fillIn(studio);
    studio.store.getState().edit({ name, category });
    await studio.store.getState().train();
  }
  studio.store.getState().edit({ seed: '5', count: 1 });
  const [robot, teapot, lamp] = studio.store.getState().concepts;
  const draw = async (prompt: string) => {
    studio.store.getState().edit({ prompt });
    await studio.store.getState().generate();
    return studio.store.getState();
  };
  return { ...studio, generate, draw, robot: robot!, teapot: teapot!, lamp: lamp! };
}

describe('a prompt with names', () => {
  it('sends each concept at its mark, keeps and tells of all, and takes them over again under their new names', async () => {
    const { store, storage, generate, draw, robot, teapot } = await withConcepts();
    const prompt = '{TIN  robot} beside {the\u0301ie\u0300re} and {tin robot}';
    const { results, fieldProblems } = await draw(prompt);
    expect(fieldProblems).toEqual({});
    const request = generate.mock.calls[0]![0];
    expect(request.concept).toBeNull();
    expect(request.named.map(({ file }) => file)).toEqual([robot.file, teapot.file, robot.file]);
    expect(request.named[0]).toEqual(request.named[2]);
    const { records } = await storage.results.list();
    const called = (records[0]!.named ?? []).map(({ conceptId, name }) => [conceptId, name]);
    expect(called.slice(0, 2)).toEqual([
      [robot.id, 'tin robot'],
      [teapot.id, 'Théière'],
    ]);
    expect(recipeDetails(results[0]!)[0]).toEqual(['Concept', 'tin robot, Théière']);
    expect(pngText(results[0]!, { resolution: 64, hash: 'abcdef0123456789' })).toMatch(
      /NeTI concepts by name: "tin robot, Théière", NeTI truncation: 128$/,
    );
    await store.getState().relabelConcept(robot.id, 'rusty one', '');
    store.getState().edit({ prompt: '' });
    store.getState().reuseResult(results[0]!.id);
    expect(store.getState().form.prompt).toBe('{rusty one} beside {Théière} and {rusty one}');
  });

  it('may have the chosen concept as well, and leaves it out where it is not', async () => {
    const { generate, draw, robot, lamp } = await withConcepts();
    await draw('{tin robot} under {}');
    const { results } = await draw('a {tin robot}');
    expect(generate.mock.calls.map(([{ concept }]) => concept?.file)).toEqual([lamp.file, undefined]);
    expect(results.map(({ conceptId, conceptName }) => [conceptId, conceptName])).toEqual([
      [lamp.id, 'lamp'],
      [null, ''],
    ]);
    expect(results[1]!.named).toEqual([{ conceptId: robot.id, name: 'tin robot' }]);
  });

  it('follows a concept that is renamed', async () => {
    const { store, robot } = await withConcepts();
    store.getState().edit({ prompt: 'a {tin robot} by {lamp}' });
    await store.getState().relabelConcept(robot.id, 'rusty one', '');
    expect(store.getState().form.prompt).toBe('a {rusty one} by {lamp}');
  });

  it('goes through its truncations, those of all its concepts', async () => {
    const { store, generate, draw } = await withConcepts();
    await draw('{tin robot} by {lamp}');
    generate.mockClear();
    store.getState().setTruncation(7);
    await vi.waitFor(() => expect(store.getState().live).toMatchObject({ truncation: 7, quality: 'full' }));
    expect(generate.mock.calls.at(-1)![0]).toMatchObject({ truncation: 7, named: [{}, {}] });
  });

  it('is mixed where the chosen concept stands, and refused where it does not', async () => {
    const { store, generate, draw, robot, teapot } = await withConcepts();
    store.getState().edit({ appearanceId: robot.id });
    expect((await draw('{tin robot} by {}')).fieldProblems).toEqual({});
    expect(generate.mock.calls[0]![0].mixing?.appearance.file).toBe(robot.file);
    const { fieldProblems } = await draw('{tin robot} by {Théière}');
    expect(fieldProblems.prompt).toContain('mixed at {}, and the prompt has none');
    expect(generate).toHaveBeenCalledTimes(1);
    expect(teapot.name).toBe('Théière');
  });

  it('cannot be drawn again when one of them is gone, and stays', async () => {
    const { store, draw, robot } = await withConcepts();
    const [result] = (await draw('{tin robot} by {}')).results;
    expect(conceptsOf(store.getState(), result!)?.named).toEqual([robot]);
    await store.getState().deleteConcept(robot.id);
    expect(conceptsOf(store.getState(), result!)).toBeNull();
    expect(recipeDetails(store.getState().results[0]!)[0]![1]).toBe('lamp, tin robot');
  });

  it('is scored by the categories of all, and by the likeness to each', async () => {
    let likeness = 0.2;
    const score = vi.fn((request: ScoreRequest) => {
      likeness += 0.2;
      return Promise.resolve(request.pictures.map(() => ({ likeness, prompt: 0.6 })));
    });
    const { store, draw } = await withConcepts({ score });
    await draw('{tin robot} by {}');
    await vi.waitFor(() => expect(store.getState().results[0]!.scores).not.toBeNull());
    expect(score.mock.calls.map(([{ prompt }]) => prompt)).toEqual(['toy by lamp', 'toy by lamp']);
    const { scores } = store.getState().results[0]!;
    expect(scores!.each).toEqual([
      { name: 'lamp', likeness: 0.4 },
      { name: 'tin robot', likeness: expect.closeTo(0.6) },
    ]);
    expect(scores!.likeness).toBeCloseTo(0.5);
  });

  it('may stand in a grid’s axis', async () => {
    const { store, generate, robot, lamp } = await withConcepts();
    const [gridX, gridY] = [
      { field: 'prompt', text: 'a {}\n{tin robot} by {}\na {tin robot}', chosen: [] },
      { field: 'seed', text: '1', chosen: [] },
    ] as const;
    store.getState().edit({ prompt: 'a {lamp}', gridX, gridY });
    await store.getState().drawGrid();
    const drawn = generate.mock.calls.map(([{ concept, named }]) =>
      [concept, ...named].map((each) => each?.file),
    );
    expect(drawn).toEqual([[lamp.file], [lamp.file, robot.file], [undefined, robot.file]]);
    store.getState().edit({ gridX: { ...gridX, text: 'a {teapot}' } });
    await store.getState().drawGrid();
    expect(store.getState().fieldProblems.gridX).toContain('“a {teapot}”: No concept is called “teapot”');
  });
});

describe('a name that calls nobody', () => {
  it('is said before it is used: unknown, of several, of another model, of another version of this one', async () => {
    const { store, robot, draw } = await withConcepts();
    const problems = (prompt: string) => nameProblems(store.getState(), prompt);
    expect(problems('{tin robot} by {lamp} {} {unfinished')).toEqual([]);
    expect(problems('{rob} {rob} {}')).toEqual([expect.stringContaining('No concept is called “rob”')]);
    await store.getState().duplicateConcept(robot.id);
    const copy = store.getState().concepts.at(-1)!;
    await store.getState().relabelConcept(copy.id, 'Tin robot', '');
    expect(problems('{tin robot}')).toEqual([expect.stringContaining('More than one concept is called')]);
    expect(callableConcepts(store.getState()).map(({ name }) => name)).toEqual(['Théière', 'lamp']);
    const { fieldProblems } = await draw('a {tin robot}');
    expect(fieldProblems.prompt).toContain('More than one');
  });

  it.each([
    ['another model', 'was learned on another model, so'],
    ['base', 'was learned on another version of base'],
  ])('of %s', async (baseId, said) => {
    const { store } = await withConcepts();
    const concepts = store.getState().concepts.map((each) => ({ ...each, baseId, baseHash: 'of another' }));
    store.setState({ concepts });
    expect(nameProblems(store.getState(), '{lamp}')).toEqual([expect.stringContaining(said)]);
    expect(fittingConcepts(store.getState(), '')).toEqual([]);
  });
});

describe('completing a name', () => {
  it.each([
    ['a {ro| by', { start: 2, end: 5, typed: 'ro' }],
    ['a {| by {}', { start: 2, end: 3, typed: '' }],
    ['a {tin |robot} by', { start: 2, end: 13, typed: 'tin ' }],
    ['{|}', { start: 0, end: 2, typed: '' }],
    ['a {}| by', null],
    ['|a {', null],
    ['a b|', null],
  ])('in “%s” is %j', (text, found) => {
    expect(unfinishedName(text.replace('|', ''), text.indexOf('|'))).toEqual(found);
  });

  it('offers what begins so, then what has it elsewhere', async () => {
    const { store, robot } = await withConcepts();
    store.setState({
      concepts: [...store.getState().concepts, { ...robot, id: 'other', name: 'a {tin} lamp' }],
    });
    const names = (typed: string) => fittingConcepts(store.getState(), typed).map(({ name }) => name);
    expect(names('')).toEqual(['a {tin} lamp', 'lamp', 'Théière', 'tin robot']);
    expect(names('LA')).toEqual(['lamp', 'a {tin} lamp']);
    expect(names('zz')).toEqual([]);
  });
});
