/** Pictures into the model's square, and thumbnails for concept files, with the browser's own scaler. */
import type { Pixels } from './pixels.ts';
import { toPngUrl } from './pngUrl.ts';

function canvas2d(width: number, height: number): [OffscreenCanvas, OffscreenCanvasRenderingContext2D] {
  const canvas = new OffscreenCanvas(width, height);
  return [canvas, canvas.getContext('2d')!];
}

/** The picture squashed to `side` × `side`, as the official implementation does. */
export async function toSquare({ width, height, data }: Pixels, side: number): Promise<Pixels> {
  const bitmap = await createImageBitmap(new ImageData(data, width, height), {
    resizeWidth: side,
    resizeHeight: side,
    resizeQuality: 'high',
  });
  const [, context] = canvas2d(side, side);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width: side, height: side, data: context.getImageData(0, 0, side, side).data };
}

/** The picture as a PNG data URL. */
export async function encodeThumbnail({ width, height, data }: Pixels): Promise<string> {
  const [canvas, context] = canvas2d(width, height);
  context.putImageData(new ImageData(data, width, height), 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
  return toPngUrl(bytes);
}
