/** Contact sheets: rows of pictures as one WebP file, and the blind test that goes with them. */
import type { Page } from '@playwright/test';
import { Random } from '../lib/random.ts';

/** A concept's pictures: those it was learned from, and those made of it. */
export interface Taught {
  readonly label: string;
  readonly given: readonly Buffer[];
  readonly made: readonly Buffer[];
}

/** Given pictures beside the made ones, by name. */
export function plainRows(taught: readonly Taught[]): SheetRow[] {
  return taught.map(({ label, given, made }) => ({ label, pictures: [...given, null, ...made] }));
}

/** Given pictures by number beside made pictures by letter, in another order, and which belongs to which. */
export function blindTest(taught: readonly Taught[]): { rows: SheetRow[]; key: Record<string, number> } {
  const random = new Random(7);
  const order = taught
    .map((_, i) => ({ i, at: random.uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
  const letter = (row: number) => String.fromCharCode(65 + row);
  const rows = taught.map(({ given }, row) => ({
    label: `${row + 1}  |  ${letter(row)}`,
    pictures: [...given, null, ...taught[order[row]!]!.made],
  }));
  return { rows, key: Object.fromEntries(order.map((concept, row) => [letter(row), concept + 1])) };
}

/** One row of a sheet: a heading at its left, then pictures; `null` leaves a gap. */
export interface SheetRow {
  readonly label: string;
  readonly pictures: readonly (Buffer | null)[];
}

/** One WebP file of rows of pictures, `cell` pixels a side each, composed by the browser. */
export async function sheet(page: Page, rows: readonly SheetRow[], cell = 128): Promise<Buffer> {
  const sources = rows.map(({ label, pictures }) => ({
    label,
    urls: pictures.map((png) => png && `data:image/png;base64,${png.toString('base64')}`),
  }));
  const base64 = await page.evaluate(
    async ({ lines, side }) => {
      const margin = lines.some(({ label }) => label) ? 100 : 0;
      const canvas = document.createElement('canvas');
      canvas.width = margin + side * Math.max(...lines.map(({ urls }) => urls.length));
      canvas.height = side * lines.length;
      const context = canvas.getContext('2d')!;
      context.fillStyle = 'white';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = 'black';
      context.font = '13px sans-serif';
      for (const [y, { label, urls }] of lines.entries()) {
        context.fillText(label, 6, (y + 0.5) * side, margin - 8);
        for (const [x, url] of urls.entries()) {
          if (!url) continue;
          const image = new Image();
          image.src = url;
          await image.decode();
          context.drawImage(image, margin + x * side, y * side, side, side);
        }
      }
      return canvas.toDataURL('image/webp', 0.8).split(',')[1]!;
    },
    { lines: sources, side: cell },
  );
  return Buffer.from(base64, 'base64');
}
