/** The browser's own decoders on damaged pictures, through the page's reader. */
import { AppError } from '../../src/lib/errors.ts';
import { Random } from '../../src/lib/random.ts';
import { browserImages } from '../../src/pictures/decode.ts';
import { damageBytes } from '../../src/tools/fuzz/damage.ts';

const NAMES = ['moves.png', 'turned.webp', 'whole.jpg', 'avif-no-ending', 'rgb16.tif', 'IMG_0001.HEIC'];

interface Report {
  readonly read: number;
  readonly refused: number;
  readonly raw: readonly string[];
  /** Milliseconds of the slowest. */
  readonly slowest: number;
}

declare global {
  interface Window {
    takeDamagedPictures(count: number, seed: number): Promise<Report>;
  }
}

async function load(name: string): Promise<Uint8Array> {
  const answer = await fetch(new URL(`../../src/pictures/fixtures/${name}`, import.meta.url));
  return new Uint8Array(await answer.arrayBuffer());
}

window.takeDamagedPictures = async (count, seed) => {
  const whole = await Promise.all(NAMES.map(load));
  const random = new Random(seed);
  const raw: string[] = [];
  let [read, refused, slowest] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const file = new File([damageBytes(whole[i % whole.length]!, random)], NAMES[i % NAMES.length]!);
    const started = performance.now();
    try {
      const { source } = await browserImages.decode(file);
      await browserImages.square(source, null, '#ffffff');
      read += 1;
    } catch (error) {
      if (error instanceof AppError) refused += 1;
      else raw.push(`picture ${i}, ${file.name}: ${String(error)}`);
    }
    slowest = Math.max(slowest, performance.now() - started);
  }
  return { read, refused, raw, slowest };
};
