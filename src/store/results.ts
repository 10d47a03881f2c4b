/** Keeping results, and deleting them with a way back. */
import type { Context } from './context.ts';
import type { ResultRecord } from './state.ts';

/** Stores a result; when that fails it stays on the page and the reason is shown. Never rejects. */
export async function saveResult({ deps, messages }: Context, result: ResultRecord): Promise<void> {
  await deps.storage.results.put(result).catch((error: unknown) => messages.report('create', error));
}

/** Deletes results; the next one becomes the chosen one. Never rejects. */
export async function deleteResults(
  { deps, get, set, messages }: Context,
  ids: readonly string[],
): Promise<void> {
  const gone = get().results.filter((each) => ids.includes(each.id));
  if (gone.length === 0) return;
  set(({ results, chosenResultId, live }) => {
    const kept = results.filter((each) => !ids.includes(each.id));
    const lost = chosenResultId !== null && ids.includes(chosenResultId);
    return {
      results: kept,
      chosenResultId: lost ? (kept.at(-1)?.id ?? null) : chosenResultId,
      live: lost ? null : live,
    };
  });
  const label = gone.length === 1 ? 'The picture' : `${gone.length} pictures`;
  messages.removed({ what: 'results', label, results: gone });
  await Promise.all(gone.map((each) => deps.storage.results.remove(each.id))).catch((error: unknown) =>
    messages.report('create', error),
  );
  await get().measureUsage();
}

/** Pictures of one press of Generate stay in the order of their seeds. */
export function newestFirst(results: readonly ResultRecord[]): ResultRecord[] {
  return results.toSorted((a, b) => b.created.localeCompare(a.created) || a.seed - b.seed);
}
