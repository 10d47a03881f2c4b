/** A canvas that is not on the page. */
import { AppError } from '../lib/errors.ts';

/** Throws `picture.canvas`. */
export function canvasContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null)
    throw new AppError(
      'picture.canvas',
      'The browser gives no canvas to read pictures with. Reload the page.',
    );
  context.imageSmoothingQuality = 'high';
  return context;
}
