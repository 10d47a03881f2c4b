/** The concept's map: reading it, and drawing a picture again with a part of the concept in focus. */
import { keyOf } from '../storage/recipe.ts';
import type { SpaceTimeMap } from '../worker/api.ts';
import type { Context } from './context.ts';
import { deliver, renderSeries } from './generation.ts';
import { sourceOf } from './recipe.ts';
import { newestFirst } from './results.ts';
import type { ResultRecord, SpaceTimeSlice, StudioState } from './state.ts';
import { TruncationRenders } from './truncationRenders.ts';
import { seriesAround, type PictureSeries } from './truncationSeries.ts';

export function createSpaceTimeSlice(context: Context): SpaceTimeSlice {
  const { deps, get, set } = context;
  const renders = rendersOf(context);
  return {
    focused: null,
    readSpaceTime: mapReader(context),
    readNearWords: (file, timestep, layer) =>
      deps.client.nearestWords({ concept: sourceOf({ file }), timestep, layer }).catch(() => []),
    showFocus(reference, focus) {
      const series = seriesAround(get(), { ...reference, focus });
      if (series !== null) void renders.show(series, reference.truncation);
    },
    clearFocus() {
      renders.stop();
      set({ focused: null });
    },
    keepFocused: () => keepFocused(context),
  };
}

/** A picture that the map can draw again: the chosen one if it shows the concept whole, else the newest that does. */
export function pictureOfConcept(
  { results, chosenResultId }: Pick<StudioState, 'results' | 'chosenResultId'>,
  conceptId: string,
): ResultRecord | null {
  const whole = results.filter((each) => each.conceptId === conceptId && each.focus === null);
  return whole.find((each) => each.id === chosenResultId) ?? newestFirst(whole)[0] ?? null;
}

/** Reads maps once for each file and its axes, as long as they are there; null where that failed, which is then shown. */
function mapReader({ deps, messages }: Context): SpaceTimeSlice['readSpaceTime'] {
  const maps = new WeakMap<Blob, WeakMap<Blob, Promise<SpaceTimeMap | null>>>();
  return (file, axesOf) => {
    const known = maps.get(axesOf) ?? new WeakMap<Blob, Promise<SpaceTimeMap | null>>();
    maps.set(axesOf, known);
    const request = { concept: sourceOf({ file }), axesOf: sourceOf({ file: axesOf }) };
    const reading =
      known.get(file) ??
      deps.client.spaceTime(request).catch((error: unknown) => {
        known.delete(file);
        messages.report('training', error);
        return null;
      });
    known.set(file, reading);
    return reading;
  };
}

function rendersOf(context: Context): TruncationRenders<PictureSeries> {
  return new TruncationRenders({
    render: (...wish) => renderSeries(context, ...wish),
    onFrame: ({ series: { result }, picture, quality }) =>
      context.set({ focused: { result: { ...result, picture }, quality } }),
    onError: (error) => context.messages.report('create', error),
    mayWorkAhead: () => false,
  });
}

/** Makes the focused picture a result, once. */
async function keepFocused(context: Context): Promise<void> {
  const { deps, get } = context;
  const { focused, results } = get();
  if (focused?.quality !== 'full') return;
  if (results.some((each) => keyOf(each) === keyOf(focused.result))) return;
  const own = { id: deps.newId(), created: deps.now(), scores: null };
  await deliver(context, [{ ...focused.result, ...own }]);
}
