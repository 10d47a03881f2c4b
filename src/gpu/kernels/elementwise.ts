/** Kernels over flat arrays: y += s·x, and LeakyReLU with its derivative. */
import { defineKernel } from '../backend.ts';

const GROUP = 256;

/** One thread an element; 65,535 groups of 256 are more than any tensor of a mapper needs. */
export function perElement(size: number): readonly [number, number] {
  return [Math.ceil(size / GROUP), 1];
}

/** WGSL of an entry point that runs `statement` for each `i < params.size`. */
function elementwise(statement: string): string {
  return `
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= params.size) { return; }
  ${statement}
}`;
}

/** y += scale · x. */
export const addScaled = defineKernel({
  name: 'addScaled',
  buffers: { x: 'read', y: 'read_write' },
  params: { size: 'u32', scale: 'f32' },
  wgsl: elementwise('y[i] += params.scale * x[i];'),
  workgroups: ({ size }) => perElement(size),
  reference: ({ x, y }, { size, scale }) => {
    for (let i = 0; i < size; i++) y[i]! += scale * x[i]!;
  },
});

/** y = x where x > 0, slope · x elsewhere. */
export const leakyRelu = defineKernel({
  name: 'leakyRelu',
  buffers: { x: 'read', y: 'read_write' },
  params: { size: 'u32', slope: 'f32' },
  wgsl: elementwise('y[i] = select(params.slope, 1.0, x[i] > 0.0) * x[i];'),
  workgroups: ({ size }) => perElement(size),
  reference: ({ x, y }, { size, slope }) => {
    for (let i = 0; i < size; i++) y[i] = (x[i]! > 0 ? 1 : slope) * x[i]!;
  },
});

/** dx += dy · (1 where x > 0, slope elsewhere). */
export const leakyReluGradient = defineKernel({
  name: 'leakyReluGradient',
  buffers: { x: 'read', dy: 'read', dx: 'read_write' },
  params: { size: 'u32', slope: 'f32' },
  wgsl: elementwise('dx[i] += select(params.slope, 1.0, x[i] > 0.0) * dy[i];'),
  workgroups: ({ size }) => perElement(size),
  reference: ({ x, dy, dx }, { size, slope }) => {
    for (let i = 0; i < size; i++) dx[i]! += (x[i]! > 0 ? 1 : slope) * dy[i]!;
  },
});
