/** Principal components (Pearson 1901) of a table of vectors, by orthogonal iteration on its covariance, which is never formed. */
import { Random } from '../lib/random.ts';

export interface PrincipalAxes {
  /** Mean row [D]. */
  readonly mean: Float64Array;
  /** Unit axes [D] by falling variance; the largest entry of each, by magnitude, is positive. */
  readonly axes: readonly Float64Array[];
  /** The share of all variance along each axis, 0 … 1. */
  readonly shares: readonly number[];
}

/** Close to converged after so many rounds, unless two variances are alike, when any axes of their plane serve. */
const MOST_ROUNDS = 400;
const TOLERANCE = 1e-12;
const ALIKE = 1e-12;

/** The first `count` axes of rows [N, D]. Axes beyond what the rows span are zeros. */
export function principalAxes(rows: Float32Array, width: number, count: number): PrincipalAxes {
  const mean = meanRow(rows, width);
  const centred = Float64Array.from(rows, (value, i) => value - mean[i % width]!);
  const random = new Random(1);
  let axes = orthonormal(
    Array.from({ length: count }, () => Float64Array.from({ length: width }, () => random.normal())),
  );
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = orthonormal(axes.map((axis) => spread(centred, axis)));
    const change = Math.max(...next.map((axis, i) => 1 - Math.abs(dot(axis, axes[i]!))));
    axes = next;
    if (change < TOLERANCE) break;
  }
  const total = dot(centred, centred);
  // What rounding leaves of vectors that are all alike has no direction.
  if (total <= ALIKE * rows.reduce((sum, value) => sum + value * value, 0))
    return { mean, axes: axes.map((axis) => axis.map(() => 0)), shares: axes.map(() => 0) };
  const shares = axes.map((axis) => dot(axis, spread(centred, axis)) / total);
  return { mean, axes: axes.map(turned), shares };
}

/** Coordinates [N, axes] of rows [N, D] along the axes. */
export function project(rows: Float32Array, { mean, axes }: PrincipalAxes): Float32Array<ArrayBuffer> {
  const width = mean.length;
  const count = rows.length / width;
  const coordinates = new Float32Array(count * axes.length);
  for (let row = 0; row < count; row++)
    axes.forEach((axis, i) => {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += axis[d]! * (rows[row * width + d]! - mean[d]!);
      coordinates[row * axes.length + i] = sum;
    });
  return coordinates;
}

function meanRow(rows: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  rows.forEach((value, i) => (mean[i % width]! += (value * width) / rows.length));
  return mean;
}

/** The centred rows' scatter times the axis: Σ x (x · axis). */
function spread(centred: Float64Array, axis: Float64Array): Float64Array {
  const width = axis.length;
  const sum = new Float64Array(width);
  for (let start = 0; start < centred.length; start += width) {
    const row = centred.subarray(start, start + width);
    const along = dot(row, axis);
    for (let d = 0; d < width; d++) sum[d]! += along * row[d]!;
  }
  return sum;
}

/** Gram–Schmidt, twice over for what the first pass leaves; what has no direction of its own becomes zeros. */
function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const length = Math.sqrt(dot(vector, vector));
    const rest = [...done, ...done].reduce((left, axis) => {
      const along = dot(left, axis);
      return left.map((value, d) => value - along * axis[d]!);
    }, vector);
    const left = Math.sqrt(dot(rest, rest));
    done.push(rest.map((value) => (left > 1e-9 * length ? value / left : 0)));
  }
  return done;
}

function turned(axis: Float64Array): Float64Array {
  const largest = axis.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
  return largest < 0 ? axis.map((value) => -value) : axis;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
