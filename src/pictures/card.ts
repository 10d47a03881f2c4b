/** The face of a card: a picture, under it the concept's name and what was asked for. */
import { canvasContext } from './canvas.ts';
import type { Pixels } from './pixels.ts';

export interface CardWords {
  readonly title: string;
  readonly text: string;
}

const SIDE = 640;
const PAD = 28;
const TITLE = { size: 30, weight: 600, ink: '#1b1c1f' } as const;
const TEXT = { size: 20, weight: 400, ink: '#5f636b' } as const;
const MOST_LINES = 3;
const LINE_HEIGHT = 1.35;

type Style = typeof TITLE | typeof TEXT;
type Context = OffscreenCanvasRenderingContext2D;

/** 640 pixels wide. */
export async function drawCard(picture: Blob, { title, text }: CardWords): Promise<Pixels> {
  const bitmap = await createImageBitmap(picture);
  const measure = canvasContext(1, 1);
  const lines = [
    ...wrapped(measure, title, TITLE).map((line) => ({ line, style: TITLE })),
    ...wrapped(measure, text, TEXT).map((line) => ({ line, style: TEXT })),
  ];
  const height = SIDE + 2 * PAD + lines.reduce((sum, { style }) => sum + style.size * LINE_HEIGHT, 0);
  const context = canvasContext(SIDE, Math.round(height));
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, SIDE, context.canvas.height);
  context.drawImage(bitmap, 0, 0, SIDE, SIDE);
  bitmap.close();
  let y = SIDE + PAD;
  for (const { line, style } of lines) {
    use(context, style);
    y += style.size * LINE_HEIGHT;
    context.fillText(line, PAD, y - style.size * (LINE_HEIGHT - 1));
  }
  const { data } = context.getImageData(0, 0, SIDE, context.canvas.height);
  return { width: SIDE, height: context.canvas.height, data: new Uint8ClampedArray(data) };
}

function use(context: Context, { size, weight, ink }: Style): void {
  context.font = `${weight} ${size}px system-ui, sans-serif`;
  context.fillStyle = ink;
}

/** Lines that fit; what does not fit into the last is cut. */
function wrapped(context: Context, text: string, style: Style): string[] {
  use(context, style);
  const fits = (line: string) => context.measureText(line).width <= SIDE - 2 * PAD;
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.length <= MOST_LINES
    ? lines
    : [...lines.slice(0, MOST_LINES - 1), `${lines[MOST_LINES - 1]!} …`];
}
