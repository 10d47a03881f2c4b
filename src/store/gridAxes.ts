/** The axes of a grid of pictures: what is typed or chosen, read as values, each of which changes an order. */
import { samplerNames, samplers } from '../diffusion/samplers/table.ts';
import { AppError, toPlainError } from '../lib/errors.ts';
import { MAX_GUIDANCE_SCALE, MAX_SAMPLING_STEPS, MAX_SEED, MIN_GUIDANCE_SCALE } from '../neti/limits.ts';
import type { AxisField } from '../storage/records.ts';
import { FieldError, readNumber, type Range } from './fields.ts';
import { isUsable } from './openBase.ts';
import { withCalled, type Order } from './order.ts';
import { chosenConcepts, conceptAt, hiddenUnits } from './pictureConcepts.ts';
import type { ConceptRecord, StudioState } from './state.ts';

/** Most pictures of a grid. */
export const MAX_GRID_CELLS = 100;

export interface AxisValue {
  readonly label: string;
  readonly apply: (order: Order) => Order;
}

export interface Axis {
  readonly field: AxisField;
  readonly title: string;
  readonly values: readonly AxisValue[];
}

export interface AxisChoice {
  readonly id: string;
  readonly label: string;
}

/** What choices are made from. */
export type AxisState = Pick<StudioState, 'concepts' | 'form' | 'base'>;

/** How an axis is asked for: in a line of numbers, in lines of text, or by ticking. */
export type AxisKind =
  | { readonly input: 'numbers'; readonly title: string; readonly hint: string }
  | { readonly input: 'lines'; readonly title: string; readonly hint: string }
  | {
      readonly input: 'choices';
      readonly title: string;
      readonly choices: (state: AxisState) => readonly AxisChoice[];
    };

type Slot = 'gridX' | 'gridY';

const chosenConcept = ({ concepts, form }: AxisState): ConceptRecord | undefined =>
  concepts.find(({ id }) => id === form.conceptId);

export const axisKinds: Readonly<Record<AxisField, AxisKind>> = {
  prompt: {
    input: 'lines',
    title: 'Prompt',
    hint: 'One a line, each with {} for the concept or {name} for another.',
  },
  seed: { input: 'numbers', title: 'Seed', hint: 'Such as 1, 2, 7 or 1-4.' },
  truncation: { input: 'numbers', title: 'Truncation', hint: 'Units that are kept, such as 1, 16, 128.' },
  guidanceScale: { input: 'numbers', title: 'Guidance', hint: 'Such as 1, 2.5, 5, 7.5.' },
  steps: { input: 'numbers', title: 'Sampling steps', hint: 'Such as 5, 10, 20.' },
  sampler: {
    input: 'choices',
    title: 'Sampler',
    choices: () => samplerNames.map((id) => ({ id, label: samplers[id].label })),
  },
  concept: {
    input: 'choices',
    title: 'Concept',
    choices: (state) =>
      state.concepts.filter((each) => isUsable(state, each)).map(({ id, name }) => ({ id, label: name })),
  },
  mixing: {
    input: 'numbers',
    title: 'Mixing start',
    hint: 'In %, such as 0, 40, 80; two concepts are mixed.',
  },
  trainedStep: {
    input: 'choices',
    title: 'Training step',
    choices: (state) =>
      chosenConcept(state)?.previews.map(({ step }) => ({ id: `${step}`, label: `${step}` })) ?? [],
  },
};

/** Concepts come first, for the others' values depend on them. */
const ORDER: readonly AxisField[] = ['concept', 'trainedStep'];

/** The values that a form asks for. Throws a FieldError at the axis that cannot be had. */
export function readAxis(state: StudioState, slot: Slot): Axis {
  const { field, chosen } = state.form[slot];
  const kind = axisKinds[field];
  const values =
    kind.input === 'choices' ? choicesOf(state, field, chosen) : textValues(state, slot, kind.input);
  if (values.length > 0) return { field, title: kind.title, values };
  throw new FieldError(slot, 'grid.empty', `${kind.title} has no values. Give one at least.`);
}

function textValues(state: StudioState, slot: Slot, input: 'numbers' | 'lines'): AxisValue[] {
  const { field, text } = state.form[slot];
  if (input === 'lines') {
    const lines = text.split('\n').map((line) => line.trim());
    return [...new Set(lines)].filter((line) => line !== '').map((line) => promptValue(state, line, slot));
  }
  const most = field === 'truncation' ? mostUnits(state) : Infinity;
  const typed = numbersOf(text, slot, numberRanges[field as NumberField]).map((each) => Math.min(each, most));
  return [...new Set(typed)].map((value) => ({
    label: field === 'mixing' ? `${value} %` : `${value}`,
    apply: (order) => withNumber(order, field as NumberField, value, slot),
  }));
}

/** Most hidden units that a concept of the grid has: more cannot be kept, nor are said to be. */
function mostUnits(state: StudioState): number {
  const { gridX, gridY, prompt } = state.form;
  const ticked = [gridX, gridY].flatMap(({ field, chosen }) => (field === 'concept' ? chosen : []));
  const lines = [gridX, gridY].flatMap(({ field, text }) => (field === 'prompt' ? [text] : []));
  const chosen = chosenConcepts({ ...state, form: { ...state.form, prompt: [prompt, ...lines].join(' ') } });
  const concepts = state.concepts.filter(({ id }) => ticked.includes(id));
  return hiddenUnits({ ...chosen, named: [...chosen.named, ...concepts] }) ?? Infinity;
}

type NumberField = 'seed' | 'truncation' | 'guidanceScale' | 'steps' | 'mixing';

const numberRanges: Readonly<Record<NumberField, Range>> = {
  seed: { label: 'The seed', from: 0, to: MAX_SEED, whole: true },
  truncation: { label: 'Truncation', from: 1, to: 4096, whole: true },
  guidanceScale: { label: 'Guidance', from: MIN_GUIDANCE_SCALE, to: MAX_GUIDANCE_SCALE, whole: false },
  steps: { label: 'Sampling steps', from: 1, to: MAX_SAMPLING_STEPS, whole: true },
  mixing: { label: 'The mixing start', from: 0, to: 100, whole: true },
};

const SPAN = /^(\d+)\s*[-–]\s*(\d+)$/;

/** Numbers between commas or spaces, and spans of whole ones. */
function numbersOf(text: string, slot: Slot, range: Range): number[] {
  const pieces = text
    .replace(/\s*([-–])\s*/g, '$1')
    .split(/[\s,;]+/)
    .filter((piece) => piece !== '');
  return pieces.flatMap((piece) => {
    const [, first, last] = SPAN.exec(piece) ?? [];
    if (first === undefined || last === undefined) return [readNumber(slot, piece, range)];
    const [from, to] = [readNumber(slot, first, range), readNumber(slot, last, range)];
    const count = Math.min(to - from + 1, MAX_GRID_CELLS + 1);
    return Array.from({ length: Math.max(0, count) }, (_, i) => from + i);
  });
}

function withNumber(order: Order, field: NumberField, value: number, slot: Slot): Order {
  const { recipe } = order;
  if (field === 'seed') return { ...order, seeds: [value] };
  if (field === 'mixing') {
    if (recipe.mixing === null)
      throw new FieldError(slot, 'mixing.concepts', 'Mix two concepts first: choose them in Create.');
    return { ...order, recipe: { ...recipe, mixing: { ...recipe.mixing, start: value } } };
  }
  const most = field === 'truncation' ? (hiddenUnits(order.concepts) ?? value) : value;
  return { ...order, recipe: { ...recipe, [field]: Math.min(value, most) } };
}

function promptValue(state: StudioState, prompt: string, slot: Slot): AxisValue {
  return {
    label: prompt,
    apply: (order) => {
      const asked = { ...order, recipe: { ...order.recipe, prompt } };
      try {
        withCalled(state, asked);
        return asked;
      } catch (error) {
        const { code, message } = toPlainError(error);
        throw new FieldError(slot, code, `“${prompt}”: ${message}`);
      }
    },
  };
}

function choicesOf(state: StudioState, field: AxisField, chosen: readonly string[]): AxisValue[] {
  const kind = axisKinds[field];
  const offered = kind.input === 'choices' ? kind.choices(state) : [];
  return offered
    .filter(({ id }) => chosen.includes(id))
    .map(({ id, label }) => ({ label, apply: (order) => withChoice(state, order, field, id) }));
}

function withChoice(state: StudioState, order: Order, field: AxisField, id: string): Order {
  const sampler = samplerNames.find((each) => each === id);
  if (field === 'sampler' && sampler) return { ...order, recipe: { ...order.recipe, sampler } };
  if (field === 'concept')
    return withConcept(
      order,
      state.concepts.find((each) => each.id === id)!,
    );
  const { concept } = order.concepts;
  const trainedStep = Number(id);
  if (!concept?.previews.some(({ step }) => step === trainedStep))
    throw new AppError(
      'grid.step',
      `“${concept?.name ?? ''}” kept no preview of training step ${id}; leave the step or the concept out.`,
    );
  const concepts = { ...order.concepts, concept: conceptAt(concept, trainedStep) };
  return { ...order, concepts, recipe: { ...order.recipe, trainedStep } };
}

/** What was whole stays whole. */
function withConcept({ recipe, concepts, seeds }: Order, concept: ConceptRecord): Order {
  const appearance = concepts.appearance?.id === concept.id ? null : concepts.appearance;
  const next = { ...concepts, concept, appearance };
  const [before, most] = [hiddenUnits(concepts), hiddenUnits(next) ?? recipe.truncation];
  return {
    recipe: {
      ...recipe,
      conceptId: concept.id,
      conceptName: concept.name,
      trainedStep: null,
      mixing: appearance && recipe.mixing,
      truncation: recipe.truncation === before ? most : Math.min(recipe.truncation, most),
    },
    concepts: next,
    seeds,
  };
}

/** One order a cell, row by row, each of one picture. Throws a FieldError for axes that make no grid, and `prompt.*`. */
export function gridOrders(state: StudioState, order: Order, x: Axis, y: Axis): Order[] {
  if (x.field === y.field)
    throw new FieldError('gridY', 'grid.axes', 'Both axes are the same. Take another for one of them.');
  const count = x.values.length * y.values.length;
  if (count > MAX_GRID_CELLS)
    throw new FieldError(
      'gridY',
      'grid.large',
      `This grid has ${count} pictures; at most ${MAX_GRID_CELLS} are drawn. Take fewer values.`,
    );
  const single = { ...order, seeds: order.seeds.slice(0, 1) };
  const rank = ({ field }: Axis) => ORDER.indexOf(field) + 1 || 3;
  return y.values.flatMap((row) =>
    x.values.map((column) => {
      const both = rank(x) <= rank(y) ? [column, row] : [row, column];
      return withCalled(
        state,
        both.reduce<Order>((made, value) => value.apply(made), single),
      );
    }),
  );
}
