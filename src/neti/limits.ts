/** Bounds of what the studio takes, each declared here alone. */

/** Most bytes of a concept file: Stable Diffusion's size takes 2.3 MB, with the optimizer's state 7 MB. */
export const MAX_CONCEPT_BYTES = 64 * 2 ** 20;

/** Most pictures that one concept is learned from. */
export const MAX_TRAINING_PICTURES = 20;

/** Most optimizer steps of one training run. */
export const MAX_TRAIN_STEPS = 10_000;

/** Most steps of a concept, all its trainings together: what another program's files may say at most. */
export const MAX_TRAINED_STEPS = 1_000_000;

/** Bounds of the learning rate, and most pictures an optimizer step. */
export const [MIN_LEARNING_RATE, MAX_LEARNING_RATE] = [1e-6, 1];
export const MAX_BATCH_SIZE = 64;

/** Most pictures that one request draws, one a seed. */
export const MAX_DRAWN_PICTURES = 16;

/** Most steps of a sampler. */
export const MAX_SAMPLING_STEPS = 200;

/** Bounds of the guidance scale that the form takes. */
export const [MIN_GUIDANCE_SCALE, MAX_GUIDANCE_SCALE] = [1, 30];

/** Largest seed that can be typed or is drawn. */
export const MAX_SEED = 2 ** 31 - 1;
