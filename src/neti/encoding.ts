/**
 * The mapper's input: random Fourier features of (timestep, layer), v = [sin(w·[t, l]), cos(w·[t, l])] / ‖·‖ with a
 * frozen w[F, 2] (Tancik et al. 2020; NeTI, section 4.2), or the two plain numbers scaled to −1…1.
 *
 * Angles reach ±120, where a GPU's float32 sine is worthless, so sines are taken here in float64. By the addition theorems
 * those of each timestep and of each layer suffice, not of every pair: the products are a kernel's (gpu/kernels/angles.ts).
 * A mapper that may not depend on time, or on the layer, reads timestep 0, or layer 0, throughout.
 */
import type { DeviceBuffer } from '../gpu/backend.ts';
import { addAngles } from '../gpu/kernels/angles.ts';
import type { Tensor } from '../gpu/parameters.ts';
import type { Tape } from '../gpu/tape.ts';
import type { Random } from '../lib/random.ts';
import { encodedWidth, TIMESTEPS, type MapperConfig } from './mapperConfig.ts';

/** Frequencies w[F, 2]: column 0 for the timestep, column 1 for the layer. */
export function drawFrequencies(config: MapperConfig, random: Random): Float32Array<ArrayBuffer> {
  const w = random.fillNormal(new Float32Array(2 * config.fourierFeatures));
  return w.map((value, i) => value * (i % 2 === 0 ? config.sigmaTime : config.sigmaLayer));
}

/** What the kernel needs for R pairs. */
interface Summands {
  /** Sines and cosines of the timesteps that occur, [distinct, 2F]. */
  readonly ofTime: Float32Array;
  /** For each pair the row of its timestep and of its layer, [R, 2]. */
  readonly pairs: Float32Array;
}

export class Encoding {
  private readonly config: MapperConfig;
  private readonly frequencies: Float32Array | null;
  /** Sines and cosines [2F] of every timestep met so far. */
  private readonly timeWaves = new Map<number, Float32Array>();
  /** The layers' sines and cosines, [L, 2F]; empty without positional encoding. */
  readonly layerWaves: Float32Array;

  /** @param frequencies w[F, 2], null without positional encoding. */
  constructor(config: MapperConfig, frequencies: Float32Array | null) {
    this.config = config;
    this.frequencies = frequencies;
    const layers = Array.from({ length: frequencies ? config.layers : 0 }, (_, layer) => layer);
    this.layerWaves = concatenated(layers.map((layer) => waves(frequencies!, 1, layer)));
  }

  /** Encoded rows [R, 2F] (or [R, 2] without positional encoding) of R pairs (timestep, layer). */
  encode(timesteps: ArrayLike<number>, layers: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const encoded = new Float32Array(timesteps.length * encodedWidth(this.config));
    if (this.frequencies) {
      const { ofTime, pairs } = this.summands(this.frequencies, timesteps, layers);
      const buffers = { a: ofTime, b: this.layerWaves, pairs, y: encoded };
      addAngles.reference(buffers, this.sizes(timesteps.length));
    } else this.encodePlain(timesteps, layers, encoded);
    return encoded;
  }

  /** The same as a tensor, with `layerWaves` already on the tape's backend; null without positional encoding. */
  encodeOn(
    tape: Tape,
    timesteps: ArrayLike<number>,
    layers: ArrayLike<number>,
    layerWaves: DeviceBuffer | null,
  ): Tensor {
    const shape = [timesteps.length, encodedWidth(this.config)];
    if (!this.frequencies || !layerWaves) return tape.constant(shape, this.encode(timesteps, layers));
    const summands = this.summands(this.frequencies, timesteps, layers);
    const a = tape.constant([summands.ofTime.length], summands.ofTime).buffer;
    const pairs = tape.constant([summands.pairs.length], summands.pairs).buffer;
    const encoded = tape.output(shape, []);
    tape.backend.run(addAngles, { a, b: layerWaves, pairs, y: encoded.buffer }, this.sizes(timesteps.length));
    return encoded;
  }

  /** Encodings of the anchors, [A·L, 2F], time outermost: the input layer's first weight. */
  encodeAnchors(): Float32Array<ArrayBuffer> {
    const { layers, timeAnchors } = this.config;
    const pairs = Array.from({ length: timeAnchors * layers }, (_, i) => i);
    const spacing = TIMESTEPS / timeAnchors;
    return this.encode(
      pairs.map((i) => Math.floor(i / layers) * spacing),
      pairs.map((i) => i % layers),
    );
  }

  private encodePlain(timesteps: ArrayLike<number>, layers: ArrayLike<number>, encoded: Float32Array): void {
    const { time, space } = this.config;
    const lastLayer = Math.max(1, this.config.layers - 1);
    for (let r = 0; r < timesteps.length; r++) {
      encoded[2 * r] = ((time ? timesteps[r]! : 0) / (TIMESTEPS - 1)) * 2 - 1;
      encoded[2 * r + 1] = ((space ? layers[r]! : 0) / lastLayer) * 2 - 1;
    }
  }

  /** sin² + cos² = 1 for each feature, so the norm is √F for every input. */
  private sizes(rows: number) {
    const features = this.config.fourierFeatures;
    return { rows, features, scale: 1 / Math.sqrt(features) };
  }

  private summands(
    frequencies: Float32Array,
    timesteps: ArrayLike<number>,
    layers: ArrayLike<number>,
  ): Summands {
    const { time, space } = this.config;
    const rowOf = new Map<number, number>();
    const pairs = new Float32Array(2 * timesteps.length);
    for (let r = 0; r < timesteps.length; r++) {
      const timestep = time ? timesteps[r]! : 0;
      if (!rowOf.has(timestep)) rowOf.set(timestep, rowOf.size);
      pairs[2 * r] = rowOf.get(timestep)!;
      pairs[2 * r + 1] = space ? layers[r]! : 0;
    }
    const ofTime = [...rowOf.keys()].map((timestep) => {
      const known = this.timeWaves.get(timestep) ?? waves(frequencies, 0, timestep);
      this.timeWaves.set(timestep, known);
      return known;
    });
    return { ofTime: concatenated(ofTime), pairs };
  }
}

/** Sines, then cosines, of one column of the frequencies times a value, [2F]. */
function waves(frequencies: Float32Array, column: 0 | 1, value: number): Float32Array {
  const features = frequencies.length / 2;
  const found = new Float32Array(2 * features);
  for (let f = 0; f < features; f++) {
    const angle = frequencies[2 * f + column]! * value;
    found[f] = Math.sin(angle);
    found[features + f] = Math.cos(angle);
  }
  return found;
}

function concatenated(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, i) => all.set(row, i * width));
  return all;
}
