/** Kernels over flat arrays: y (+)= x and y *= factor. */
import { defineKernel } from '../backend.ts';
import { perThread, put, putAt, threads } from './threads.ts';

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
