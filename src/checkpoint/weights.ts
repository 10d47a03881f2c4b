/**
 * The weights of one network by the names that diffusers gives them, each with its place in a file of the user's: a checkpoint's
 * numbers are never read here, only its names and shapes.
 */
import { AppError } from '../lib/errors.ts';
import type { PlacedTensor } from '../lib/safetensors.ts';

/** A tensor, or rows of one, in the file that `location` names. */
export interface Weight extends PlacedTensor {
  /** Name of the file beside the network's graph. */
  readonly location: string;
}

export class Weights {
  private readonly prefixes = new Set<string>();

  constructor(
    /** Completes "a weight of …". */
    readonly network: string,
    private readonly byName: ReadonlyMap<string, Weight>,
  ) {
    for (const name of byName.keys())
      for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1))
        this.prefixes.add(name.slice(0, dot));
  }

  /** Throws `checkpoint.weight` when there is none of that name. */
  get(name: string): Weight {
    const weight = this.byName.get(name);
    if (weight) return weight;
    throw new AppError(
      'checkpoint.weight',
      `Expected the weight ${name} of ${this.network}, found none: the file is incomplete, or of another kind of model than Stable Diffusion 1.x and 2.x.`,
    );
  }

  /** Whether there is a weight of that name, or any below it. */
  has(name: string): boolean {
    return this.byName.has(name) || this.prefixes.has(name);
  }

  /** How many of `name.0`, `name.1` … there are. */
  count(name: string): number {
    let count = 0;
    while (this.has(`${name}.${count}`)) count++;
    return count;
  }
}
