/**
 * Seeded random numbers, the same on every machine: xoshiro128** (Blackman and Vigna), its state filled from
 * the seed by splitmix32; normal numbers by the Box-Muller transform.
 */
import { AppError } from './errors.ts';

/** What the trainer draws its numbers from: a generator, or numbers recorded elsewhere. */
export type RandomSource = Pick<Random, 'uniform' | 'int' | 'normal' | 'fillNormal'>;

/** Where a generator stands: four words of 32 bits, and a normal number that was made and not yet given out. */
export interface RandomState {
  readonly words: readonly number[];
  readonly spareNormal: number | null;
}

export class Random {
  private words: Uint32Array;
  private spareNormal: number | null = null;

  /** @param seed an integer; its lower 32 bits count. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) {
      throw new AppError(
        'random.seed',
        `The seed must be a whole number, but it is ${seed}. Give an integer.`,
      );
    }
    this.words = splitmix32(seed, 4);
  }

  /** A generator that goes on from where another one stood. */
  static from({ words, spareNormal }: RandomState): Random {
    const random = new Random(0);
    random.words = Uint32Array.from(words);
    random.spareNormal = spareNormal;
    return random;
  }

  state(): RandomState {
    return { words: [...this.words], spareNormal: this.spareNormal };
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    const s = this.words;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** Uniform among 0 … n − 1. */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Normal with mean 0 and standard deviation 1. */
  normal(): number {
    if (this.spareNormal !== null) {
      const spare = this.spareNormal;
      this.spareNormal = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Fills `target` with independent standard normal numbers and returns it. */
  fillNormal<T extends Float32Array | Float64Array>(target: T): T {
    for (let i = 0; i < target.length; i++) target[i] = this.normal();
    return target;
  }

  /** Fills `target` with independent numbers, uniform in [low, high), and returns it. */
  fillUniform<T extends Float32Array | Float64Array>(target: T, low: number, high: number): T {
    for (let i = 0; i < target.length; i++) target[i] = low + (high - low) * this.uniform();
    return target;
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitmix32(seed: number, count: number): Uint32Array {
  let state = seed >>> 0;
  return Uint32Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  });
}
