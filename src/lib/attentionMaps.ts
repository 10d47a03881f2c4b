/**
 * Where each token of a prompt is looked at (DAAM, Tang et al. 2023): cross-attention's probabilities, averaged over heads by the
 * graph, and here over layers and timesteps. Maps of small layers are laid over the large ones bilinearly. As all of it is
 * linear, layers of one size are summed as they come and resized once.
 */

export interface AttentionSizes {
  /** Places of each layer's feature map, height × width, which are squares. */
  readonly positions: readonly number[];
  readonly tokens: number;
  readonly pictures: number;
}

export class AttentionMaps {
  /** Side of a map: that of the largest layer. */
  readonly side: number;
  private steps = 0;
  /** By the places of a layer: sums [pictures, T, places]. */
  private readonly sums = new Map<number, Float32Array>();

  constructor(private readonly sizes: AttentionSizes) {
    this.side = sideOf(Math.max(...sizes.positions));
  }

  /**
   * Adds a timestep.
   * @param layers of each layer [rows, places, T], in their order
   * @param first row of the first picture; the rows before it are left out
   */
  add(layers: readonly Float32Array[], first = 0): void {
    layers.forEach((layer, i) => this.addLayer(layer, this.sizes.positions[i]!, first));
    this.steps++;
  }

  /** [pictures, T, side, side]. At each place the tokens' values sum to 1. */
  mean(): Float32Array {
    const { tokens, pictures, positions } = this.sizes;
    const size = this.side ** 2;
    const mean = new Float32Array(pictures * tokens * size);
    for (const [places, sums] of this.sums) {
      const from = sideOf(places);
      const samples = Array.from({ length: this.side }, (_, i) => neighbours(i, from, this.side));
      for (let plane = 0; plane < pictures * tokens; plane++) {
        const small = sums.subarray(plane * places, (plane + 1) * places);
        addResized(small, from, mean.subarray(plane * size, (plane + 1) * size), samples);
      }
    }
    const count = positions.length * this.steps;
    return mean.map((x) => x / count);
  }

  private addLayer(layer: Float32Array, places: number, first: number): void {
    const { tokens, pictures } = this.sizes;
    const sums = this.sums.get(places) ?? new Float32Array(pictures * tokens * places);
    this.sums.set(places, sums);
    for (let picture = 0; picture < pictures; picture++)
      for (let place = 0; place < places; place++) {
        const from = ((first + picture) * places + place) * tokens;
        for (let token = 0; token < tokens; token++)
          sums[(picture * tokens + token) * places + place]! += layer[from + token]!;
      }
  }
}

const sideOf = (places: number) => Math.round(Math.sqrt(places));

/** The two cells around a place of the larger side, and the second's share. */
type Sample = readonly [number, number, number];

/** Adds a square plane of side `from` to a larger one, bilinearly between the centres of its cells. */
function addResized(
  plane: Float32Array,
  from: number,
  target: Float32Array,
  samples: readonly Sample[],
): void {
  samples.forEach(([top, bottom, down], y) => {
    samples.forEach(([left, right, across], x) => {
      const at = (row: number) =>
        plane[row * from + left]! * (1 - across) + plane[row * from + right]! * across;
      target[y * samples.length + x]! += at(top) * (1 - down) + at(bottom) * down;
    });
  });
}

function neighbours(index: number, from: number, to: number): Sample {
  const place = Math.max(0, ((index + 0.5) * from) / to - 0.5);
  const low = Math.min(Math.floor(place), from - 1);
  return [low, Math.min(low + 1, from - 1), place - low];
}
