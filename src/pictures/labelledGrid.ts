/** Pictures in a grid with its labels, as one picture on white. */
import type { Pixels } from './pixels.ts';

export interface LabelledGrid {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  /** Row by row; null leaves the place empty. All of one size. */
  readonly cells: readonly (ImageBitmap | null)[];
}

/** Small pictures are shown at a whole multiple of their size, for the labels' sake. */
const LEAST_CELL = 128;
const GAP = 8;
const LABEL = 144;
const LINE = 18;
const MOST_LINES = 4;
const FONT = '14px system-ui, sans-serif';

/** Needs a canvas: a page or a worker of a browser. */
export function drawGrid({ columns, rows, cells }: LabelledGrid): Pixels {
  const side = cells.find((cell) => cell !== null)?.width ?? LEAST_CELL;
  const cell = side * Math.ceil(LEAST_CELL / side);
  const at = (index: number) => index * (cell + GAP);
  const context = contextOf();
  const columnLines = columns.map((text) => linesOf(context, text, cell));
  const top = GAP + Math.max(...columnLines.map(({ length }) => length)) * LINE;
  const { width, height } = Object.assign(context.canvas, {
    width: LABEL + GAP + at(columns.length),
    height: top + at(rows.length),
  });
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  // A canvas of another size has forgotten what it writes with.
  style(context);
  columnLines.forEach((lines, column) => write(context, lines, LABEL + at(column), GAP));
  rows.forEach((text, row) => write(context, linesOf(context, text, LABEL - 2 * GAP), GAP, top + at(row)));
  cells.forEach((picture, index) => {
    const [column, row] = [index % columns.length, Math.floor(index / columns.length)];
    if (picture) context.drawImage(picture, LABEL + at(column), top + at(row), cell, cell);
  });
  return { width, height, data: context.getImageData(0, 0, width, height).data as Pixels['data'] };
}

function contextOf(): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  style(context);
  return context;
}

function style(context: OffscreenCanvasRenderingContext2D): void {
  context.fillStyle = '#1b1c1f';
  context.font = FONT;
  context.textBaseline = 'top';
}

/** As many lines as there is room for, the last one cut short. */
function linesOf(context: OffscreenCanvasRenderingContext2D, text: string, width: number): string[] {
  const lines = wrapped(text, (line) => context.measureText(line).width <= width);
  return lines.length <= MOST_LINES
    ? lines
    : [...lines.slice(0, MOST_LINES - 1), `${lines[MOST_LINES - 1]}…`];
}

function write(
  context: OffscreenCanvasRenderingContext2D,
  lines: readonly string[],
  x: number,
  y: number,
): void {
  lines.forEach((line, index) => context.fillText(line, x, y + index * LINE));
}

/** Words in lines that fit; one that fits in none has a line of its own. */
export function wrapped(text: string, fits: (line: string) => boolean): string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last !== undefined && fits(`${last} ${word}`)) return [...lines.slice(0, -1), `${last} ${word}`];
    return [...lines, word];
  }, []);
}
