/** A grid of pictures as one PNG with its `parameters`. */
import { drawGrid } from '../pictures/labelledGrid.ts';
import { encodePng } from '../pictures/png.ts';
import type { GridRecord } from '../store/state.ts';

export async function gridPicture({ x, y, cells }: GridRecord, parameters: string): Promise<Blob> {
  const bitmaps = await Promise.all(cells.map((cell) => cell && createImageBitmap(cell.picture)));
  const named = (title: string, labels: readonly string[]) =>
    labels.map((label) => (title === 'Prompt' ? label : `${title}: ${label}`));
  const pixels = drawGrid({
    columns: named(x.title, x.labels),
    rows: named(y.title, y.labels),
    cells: bitmaps,
  });
  for (const bitmap of bitmaps) bitmap?.close();
  return encodePng(pixels, parameters);
}
