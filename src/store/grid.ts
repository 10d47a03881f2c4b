/** A grid of pictures over two settings: drawn cell by cell, kept as far as it came, saved as one picture. */
import { keyOf } from '../storage/recipe.ts';
import type { GridRecord } from '../storage/records.ts';
import type { Context } from './context.ts';
import { deliver, pngTextOf, type Deliver } from './generation.ts';
import { gridOrders, readAxis, type Axis } from './gridAxes.ts';
import { draftOrder, type Order } from './order.ts';
import type { CreateSlice, ResultRecord } from './state.ts';
import { allOf } from './pictureConcepts.ts';
import { isCurrent } from './sweep.ts';

type GridActions = Pick<CreateSlice, 'grid' | 'drawGrid' | 'keepGridCell' | 'gridText'>;
type Draw = (plan: () => readonly Order[], receive: Deliver) => Promise<void>;

/** @param draw carries orders out, one at a time */
export function gridActions(context: Context, draw: Draw): GridActions {
  return {
    grid: null,
    drawGrid: () => drawGrid(context, draw),
    keepGridCell: (index) => keepGridCell(context, index),
    gridText: () => gridText(context),
  };
}

const keyOfOrder = ({ recipe, seeds }: Order) => keyOf({ ...recipe, seed: seeds[0]! });

/** Draws what is missing: cells of the grid before that are of this one too need not be drawn again. */
async function drawGrid(context: Context, draw: Draw): Promise<void> {
  const { deps, get, set } = context;
  const places = new Map<Order, number>();
  // Where none is typed the grid goes on with the one that it began with.
  const seedOf = () => get().grid?.cells.find((cell) => cell !== null)?.seed ?? deps.randomSeed();
  const plan = () => {
    const [x, y] = [readAxis(get(), 'gridX'), readAxis(get(), 'gridY')];
    const orders = gridOrders(get(), draftOrder(get(), seedOf), x, y);
    const cells = knownCells(get().grid, orders);
    set({ grid: { version: 1, x: described(x), y: described(y), cells } });
    orders.forEach((order, index) => places.set(order, index));
    return orders.filter((_, index) => cells[index] === null);
  };
  await draw(plan, async ([result], order) => {
    const grid = get().grid;
    if (grid === null || result === undefined) return;
    set({ grid: { ...grid, cells: grid.cells.with(places.get(order)!, result) } });
    await deps.storage.grid
      .save(get().grid!)
      .catch((error: unknown) => context.messages.report('create', error));
  });
}

const described = ({ title, values }: Axis) => ({ title, labels: values.map(({ label }) => label) });

function knownCells(grid: GridRecord | null, orders: readonly Order[]): (ResultRecord | null)[] {
  const known = new Map(grid?.cells.flatMap((cell) => (cell ? [[keyOf(cell), cell] as const] : [])));
  return orders.map((order) => {
    const cell = known.get(keyOfOrder(order));
    return cell && isCurrent(cell, allOf(order.concepts)) ? cell : null;
  });
}

/** Makes a cell a result of its own, once. */
async function keepGridCell(context: Context, index: number): Promise<void> {
  const { grid, results } = context.get();
  const cell = grid?.cells[index];
  if (!cell || results.some(({ id }) => id === cell.id)) return;
  await deliver(context, [cell]);
}

const quoted = (labels: readonly string[]) => JSON.stringify(labels.join(', '));

/** The `parameters` text of the whole grid, in the words of AUTOMATIC1111's script for them. */
function gridText({ get }: Context): string {
  const { grid } = get();
  const first = grid?.cells.find((cell) => cell !== null);
  if (!grid || !first) return '';
  const { x, y } = grid;
  const axes = `X Type: ${x.title}, X Values: ${quoted(x.labels)}, Y Type: ${y.title}, Y Values: ${quoted(y.labels)}`;
  return `${pngTextOf(get(), first)}, Script: X/Y/Z plot, ${axes}`;
}
