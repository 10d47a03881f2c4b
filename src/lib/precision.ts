/** Number formats in which a network computes. */
export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];
