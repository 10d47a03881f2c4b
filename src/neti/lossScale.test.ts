/** How the loss's scale follows overflow in half precision. */
import { expect, it } from 'vitest';
import { LossScale } from './lossScale.ts';

it('halves at an overflow and doubles after good steps in a row', () => {
  const scale = new LossScale('float16', 3);
  const start = scale.value;
  scale.update(false);
  expect(scale.value).toBe(start / 2);
  for (const finite of [true, true, false, true, true]) scale.update(finite);
  expect(scale.value).toBe(start / 4);
  scale.update(true);
  expect(scale.value).toBe(start / 2);
});

it('float32 is not scaled', () => {
  const scale = new LossScale('float32', 1);
  for (const finite of [true, false]) scale.update(finite);
  expect(scale.value).toBe(1);
});

it('goes on from its state', () => {
  const scale = new LossScale('float16', 3);
  for (const finite of [true, false, true, true]) scale.update(finite);
  const copy = new LossScale('float16', 3);
  copy.load(scale.state());
  for (const each of [scale, copy]) each.update(true);
  expect([copy.value, copy.state()]).toEqual([scale.value, scale.state()]);
  expect(copy.value).toBe(65536);
});
