/**
 * The mapper's input: random Fourier features of (timestep, layer), v = [sin(w·[t, l]), cos(w·[t, l])] / ‖·‖ with a
 * frozen w[F, 2] (Tancik et al. 2020; NeTI, section 4.2), or the two plain numbers scaled to −1…1.
 *
 * Angles reach ±120, where a GPU's float32 sine is worthless, so this runs on the CPU in float64. By the addition theorems
 * sin(a + b) needs sines of each timestep and of each layer only, not of every pair.
 * A mapper that may not depend on time, or on the layer, reads timestep 0, or layer 0, throughout.
 */
import type { Random } from '../lib/random.ts';
import { encodedWidth, TIMESTEPS, type MapperConfig } from './mapperConfig.ts';

/** Frequencies w[F, 2]: column 0 for the timestep, column 1 for the layer. */
export function drawFrequencies(config: MapperConfig, random: Random): Float32Array<ArrayBuffer> {
  const w = random.fillNormal(new Float32Array(2 * config.fourierFeatures));
  return w.map((value, i) => value * (i % 2 === 0 ? config.sigmaTime : config.sigmaLayer));
}

interface Waves {
  readonly sin: Float64Array;
  readonly cos: Float64Array;
}

export class Encoding {
  private readonly config: MapperConfig;
  private readonly frequencies: Float32Array | null;

  /** @param frequencies w[F, 2], null without positional encoding. */
  constructor(config: MapperConfig, frequencies: Float32Array | null) {
    this.config = config;
    this.frequencies = frequencies;
  }

  /** Encoded rows [R, 2F] (or [R, 2] without positional encoding) of R pairs (timestep, layer). */
  encode(timesteps: ArrayLike<number>, layers: ArrayLike<number>): Float32Array<ArrayBuffer> {
    const encoded = new Float32Array(timesteps.length * encodedWidth(this.config));
    const zeros = new Uint8Array(timesteps.length);
    const [t, l] = [this.config.time ? timesteps : zeros, this.config.space ? layers : zeros];
    if (this.frequencies) this.encodeWaves(this.frequencies, t, l, encoded);
    else this.encodePlain(t, l, encoded);
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
    const lastLayer = Math.max(1, this.config.layers - 1);
    for (let r = 0; r < timesteps.length; r++) {
      encoded[2 * r] = (timesteps[r]! / (TIMESTEPS - 1)) * 2 - 1;
      encoded[2 * r + 1] = (layers[r]! / lastLayer) * 2 - 1;
    }
  }

  private encodeWaves(
    frequencies: Float32Array,
    timesteps: ArrayLike<number>,
    layers: ArrayLike<number>,
    encoded: Float32Array,
  ): void {
    const features = frequencies.length / 2;
    const ofTime = waveTable(frequencies, 0, timesteps);
    const ofLayer = waveTable(frequencies, 1, layers);
    // sin² + cos² = 1 for each feature, so the norm is √F for every input.
    const scale = 1 / Math.sqrt(features);
    for (let r = 0; r < timesteps.length; r++) {
      const t = ofTime.get(timesteps[r]!)!;
      const l = ofLayer.get(layers[r]!)!;
      const start = 2 * features * r;
      for (let f = 0; f < features; f++) {
        encoded[start + f] = scale * (t.sin[f]! * l.cos[f]! + t.cos[f]! * l.sin[f]!);
        encoded[start + features + f] = scale * (t.cos[f]! * l.cos[f]! - t.sin[f]! * l.sin[f]!);
      }
    }
  }
}

/** Sine and cosine of one column of the frequencies times each distinct value. */
function waveTable(frequencies: Float32Array, column: 0 | 1, values: ArrayLike<number>): Map<number, Waves> {
  const angles = Float64Array.from(
    { length: frequencies.length / 2 },
    (_, f) => frequencies[2 * f + column]!,
  );
  return new Map(
    [...new Set(Array.from(values))].map((value) => [
      value,
      { sin: angles.map((w) => Math.sin(w * value)), cos: angles.map((w) => Math.cos(w * value)) },
    ]),
  );
}
