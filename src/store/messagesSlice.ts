/** Problems shown in place, announcements for screen readers, and one deletion that can be undone. */
import { plainName } from '../lib/plainName.ts';
import { toPlainError } from '../lib/errors.ts';
import { byAge } from '../storage/records.ts';
import { MAX_TRAINING_PICTURES } from '../neti/limits.ts';
import type { Context } from './context.ts';
import type { Messages, MessagesSlice, Problem, ProblemPlace, Removed } from './state.ts';

const MOST_SHOWN = 20;

function added(problems: readonly Problem[], problem: Problem): readonly Problem[] {
  return [...problems.filter((each) => each.message !== problem.message), problem].slice(-MOST_SHOWN);
}

export function createMessages({ deps, get, set }: Omit<Context, 'messages'>): Messages {
  const show = (place: ProblemPlace, problem: Omit<Problem, 'id'>) =>
    set(({ problems }) => ({
      problems: {
        ...problems,
        // Messages quote names of files.
        [place]: added(problems[place], {
          id: deps.newId(),
          ...problem,
          message: plainName(problem.message),
        }),
      },
    }));
  return {
    report(place, error) {
      const plain = toPlainError(error);
      if (plain.code !== 'cancelled') show(place, { tone: 'error', ...plain });
    },
    note: (place, code, message) => show(place, { tone: 'note', code, message }),
    clear(place) {
      if (get().problems[place].length > 0)
        set(({ problems }) => ({ problems: { ...problems, [place]: [] } }));
    },
    announce: (announcement) => set({ announcement }),
    removed: (removed) => set({ removed }),
  };
}

export function createMessagesSlice(context: Context): MessagesSlice {
  return {
    problems: { page: [], models: [], pictures: [], training: [], library: [], create: [] },
    announcement: '',
    removed: null,
    dismiss: (place, id) => dismiss(context, place, id),
    undo: () => undo(context),
  };
}

function dismiss({ set }: Context, place: ProblemPlace, id: string): void {
  set(({ problems }) => ({
    problems: { ...problems, [place]: problems[place].filter((each) => each.id !== id) },
  }));
}

async function undo(context: Context): Promise<void> {
  const { get, set, messages } = context;
  const { removed } = get();
  if (removed === null) return;
  set({ removed: null });
  messages.announce(`${removed.label} is back.`);
  await putBack(context, removed).catch((error: unknown) => messages.report('library', error));
}

async function putBack({ deps, set }: Context, removed: Removed): Promise<void> {
  if (removed.what === 'pictures') {
    const known = new Set(removed.before.map((each) => each.id));
    const isNew = ({ id }: { readonly id: string }) => !known.has(id);
    return set(({ pictures }) => ({
      pictures: [...removed.before, ...pictures.filter(isNew)].slice(0, MAX_TRAINING_PICTURES),
    }));
  }
  if (removed.what === 'concept') {
    set(({ concepts }) => ({ concepts: byAge([...concepts, removed.concept]) }));
    return deps.storage.concepts.put(removed.concept);
  }
  set(({ results }) => ({ results: byAge([...results, ...removed.results]) }));
  await Promise.all(removed.results.map((each) => deps.storage.results.put(each)));
}
