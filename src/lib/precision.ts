/** Of a network's weights and activations. */
export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];
