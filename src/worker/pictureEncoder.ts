/** Pictures' moments of the VAE, kept: "how the model sees it" and the training that follows encode a picture once between them. */
import type { Pipeline } from '../diffusion/pipeline.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { MAX_TRAINING_PICTURES } from '../neti/limits.ts';
import type { LatentMoments } from '../neti/trainer.ts';

/** Every picture of a training and its mirror image. */
const MOST = 2 * MAX_TRAINING_PICTURES;

export class PictureEncoder {
  /** By the picture's hash, least recently used first. */
  private readonly known = new Map<string, LatentMoments>();

  constructor(private readonly pipeline: Pipeline) {}

  /** @param planes one picture [3, R, R] in −1…1 */
  async encode(planes: Float32Array<ArrayBuffer>): Promise<LatentMoments> {
    const key = await sha256Hex(new Uint8Array(planes.buffer, planes.byteOffset, planes.byteLength));
    const moments = this.known.get(key) ?? (await this.pipeline.encodeImages(planes, 1));
    this.known.delete(key);
    this.known.set(key, moments);
    const [oldest] = this.known.keys();
    if (this.known.size > MOST && oldest !== undefined) this.known.delete(oldest);
    return moments;
  }
}
