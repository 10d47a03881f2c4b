/** Every operator that the compiler understands. A new one is an entry in its family's file, and its cases (testing/derivativeCases.ts). */
import { activationOperators } from './activations.ts';
import { arithmeticOperators } from './arithmetic.ts';
import { convolutionOperators } from './convolution.ts';
import { indexingOperators } from './indexing.ts';
import { layoutOperators } from './layout.ts';
import { normalizationOperators } from './normalization.ts';
import type { Operator } from './operator.ts';
import { productOperators } from './products.ts';
import { reductionOperators } from './reductions.ts';

export const operators: Readonly<Record<string, Operator>> = {
  ...activationOperators,
  ...arithmeticOperators,
  ...convolutionOperators,
  ...indexingOperators,
  ...layoutOperators,
  ...normalizationOperators,
  ...productOperators,
  ...reductionOperators,
};

/** Undefined for an operator that the compiler does not know. */
export function operatorOf(op: string): Operator | undefined {
  return Object.hasOwn(operators, op) ? operators[op] : undefined;
}
