/**
 * Well-known models that are openly licensed, from models/known.json, each with what will come of it on this computer by the memory
 * that the compiler plans for its architecture: known before anybody is asked.
 */
import { z } from '../lib/zod.ts';
import list from '../../models/known.json' with { type: 'json' };
import { PRECISIONS } from '../lib/precision.ts';
import type { PreflightFacts } from './facts.ts';
import { judgeModel, type MemoryEstimate, type Preflight } from './preflight.ts';

const bytes = z.int().positive();
const need = z.object({ weightBytes: bytes, activationBytes: bytes, largestBytes: bytes });

export const knownModelsSchema = z.object({
  models: z
    .array(
      z.object({
        name: z.string(),
        /** Repository of the Hugging Face Hub, and its branch, tag or commit. */
        repo: z.string(),
        revision: z.string(),
        /** Of the files that the studio fetches, about. */
        bytes,
        licence: z.object({ name: z.string(), url: z.url() }),
        /** The model's page. */
        link: z.url(),
        /** What it is for, in a few words. */
        about: z.string(),
        /** Whose header in checkpoint/fixtures/real.json.gz it has. */
        architecture: z.string(),
        /** By precision; what `npm run known-models` computes. */
        needs: z.array(z.object({ precision: z.enum(PRECISIONS), draw: need, train: need })).readonly(),
      }),
    )
    .readonly(),
});

export type KnownModel = Readonly<z.infer<typeof knownModelsSchema>['models'][number]>;

/** What this computer can do with a model. */
export type Fit = 'trains' | 'draws' | 'too-large';

export interface JudgedModel extends Omit<KnownModel, 'needs'> {
  readonly fit: Fit;
  /** Whole sentences, with the plan's figures. */
  readonly reasons: readonly string[];
}

export const knownModels: readonly KnownModel[] = knownModelsSchema.parse(list).models;

export function judgeKnownModels(facts: PreflightFacts): JudgedModel[] {
  return knownModels.map(({ needs, ...model }) => {
    const estimates = needs.map(({ precision, draw, train }): MemoryEstimate => {
      return { precision, draw: { ...draw, planned: true }, train: { ...train, planned: true } };
    });
    return { ...model, ...verdictOf(judgeModel(model.bytes, facts, estimates)) };
  });
}

function verdictOf({ store, draw, train }: Preflight): Pick<JudgedModel, 'fit' | 'reasons'> {
  if (store.answer === 'no') return { fit: 'too-large', reasons: store.reasons };
  if (draw.answer === 'no') return { fit: 'too-large', reasons: draw.reasons };
  return train.answer === 'no'
    ? { fit: 'draws', reasons: train.reasons }
    : { fit: 'trains', reasons: train.reasons };
}
