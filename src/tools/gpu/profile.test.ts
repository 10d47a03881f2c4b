/** Profiles as onnxruntime writes them: times in microseconds. */
import { expect, it } from 'vitest';
import { sumProfile } from './profile.ts';

const node = (op: string, provider: string, dur: number) => ({
  cat: 'Node',
  name: `n1_kernel_time`,
  dur,
  args: { op_name: op, provider },
});
const kernel = (name: string, dur: number) => ({ cat: 'Api', name, dur, args: { cache_key: '' } });

it('kernels of the card are summed by operator and program, encoding them and branches are left out', () => {
  const shares = sumProfile(
    JSON.stringify([
      { cat: 'Session', name: 'model_run', dur: 9e6 },
      node('MatMul', 'WebGpuExecutionProvider', 7e6),
      node('If', 'CPUExecutionProvider', 7e6),
      node('Unsqueeze', 'CPUExecutionProvider', 1000),
      kernel('backward/n3&MatMul&MatMul', 2000),
      kernel('n2&MatMul&MatMul', 4000),
      kernel('n4&Conv&Conv2dMM', 3000),
    ]),
  );
  expect(shares).toEqual([
    { name: 'MatMul', calls: 2, milliseconds: 6, share: 0.6 },
    { name: 'Conv/Conv2dMM', calls: 1, milliseconds: 3, share: 0.3 },
    { name: 'on the processor: Unsqueeze', calls: 1, milliseconds: 1, share: 0.1 },
  ]);
});
