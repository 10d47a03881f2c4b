/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2) with PyTorch's order of operations:
 *   p ← p·(1 − lr·λ);  m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²;
 *   p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
 */
import { defineKernel } from '../backend.ts';
import { perThread, threads } from './threads.ts';

/** `decay` = 1 − lr·λ, `stepSize` = lr/(1 − β₁ᵗ), `correction` = √(1 − β₂ᵗ). */
export const adamwUpdate = defineKernel({
  name: 'adamwUpdate',
  buffers: { gradient: 'read', value: 'read_write', m: 'read_write', v: 'read_write' },
  params: {
    size: 'u32',
    decay: 'f32',
    stepSize: 'f32',
    correction: 'f32',
    beta1: 'f32',
    beta2: 'f32',
    oneMinusBeta1: 'f32',
    oneMinusBeta2: 'f32',
    epsilon: 'f32',
  },
  wgsl: perThread(
    'params.size',
    `let g = gradient[i];
  let first = params.beta1 * m[i] + params.oneMinusBeta1 * g;
  let second = params.beta2 * v[i] + params.oneMinusBeta2 * g * g;
  m[i] = first;
  v[i] = second;
  value[i] = value[i] * params.decay
    - params.stepSize * first / (sqrt(second) / params.correction + params.epsilon);`,
  ),
  workgroups: ({ size }) => threads(size),
  reference: ({ gradient, value, m, v }, p) => {
    for (let i = 0; i < p.size; i++) {
      const g = gradient[i]!;
      const first = p.beta1 * m[i]! + p.oneMinusBeta1 * g;
      const second = p.beta2 * v[i]! + p.oneMinusBeta2 * g * g;
      m[i] = first;
      v[i] = second;
      value[i] = value[i]! * p.decay - (p.stepSize * first) / (Math.sqrt(second) / p.correction + p.epsilon);
    }
  },
});
