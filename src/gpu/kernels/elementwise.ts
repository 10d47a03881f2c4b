/** Kernels over flat arrays: y (+)= x, y *= factor, and LeakyReLU with its derivative. */
import { defineKernel } from '../backend.ts';
import { perThread, put, putAt, threads } from './threads.ts';

/** PyTorch's default. */
const SLOPE = 0.01;

const elementwise = (statement: string): string => perThread('params.size', statement);

/** y (+)= x. */
export const accumulate = defineKernel({
  name: 'accumulate',
  buffers: { x: 'read', y: 'read_write' },
  params: { size: 'u32', accumulate: 'u32' },
  wgsl: elementwise(put('y[i]', 'x[i]')),
  workgroups: ({ size }) => threads(size),
  reference: ({ x, y }, { size, accumulate }) => {
    for (let i = 0; i < size; i++) putAt(y, i, x[i]!, accumulate);
  },
});

/** y *= factor. */
export const multiply = defineKernel({
  name: 'multiply',
  buffers: { y: 'read_write' },
  params: { size: 'u32', factor: 'f32' },
  wgsl: elementwise('y[i] *= params.factor;'),
  workgroups: ({ size }) => threads(size),
  reference: ({ y }, { size, factor }) => {
    for (let i = 0; i < size; i++) y[i]! *= factor;
  },
});

/** y = x where x > 0, SLOPE · x elsewhere. */
export const leakyRelu = defineKernel({
  name: 'leakyRelu',
  buffers: { x: 'read', y: 'read_write' },
  params: { size: 'u32' },
  wgsl: elementwise(`y[i] = select(${SLOPE}, 1.0, x[i] > 0.0) * x[i];`),
  workgroups: ({ size }) => threads(size),
  reference: ({ x, y }, { size }) => {
    for (let i = 0; i < size; i++) y[i] = (x[i]! > 0 ? 1 : SLOPE) * x[i]!;
  },
});

/** dx (+)= dy · (1 where x > 0, SLOPE elsewhere). */
export const leakyReluGradient = defineKernel({
  name: 'leakyReluGradient',
  buffers: { x: 'read', dy: 'read', dx: 'read_write' },
  params: { size: 'u32', accumulate: 'u32' },
  wgsl: elementwise(put('dx[i]', `select(${SLOPE}, 1.0, x[i] > 0.0) * dy[i]`)),
  workgroups: ({ size }) => threads(size),
  reference: ({ x, dy, dx }, { size, accumulate }) => {
    for (let i = 0; i < size; i++) putAt(dx, i, (x[i]! > 0 ? 1 : SLOPE) * dy[i]!, accumulate);
  },
});
