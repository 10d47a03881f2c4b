/** Bounds of what the studio takes, each declared here alone. */

/** Most bytes of a concept file: Stable Diffusion's size takes 2.3 MB, with the optimizer's state 7 MB. */
export const maxConceptBytes = 64 * 2 ** 20;

/** Most pictures that one concept is learned from. */
export const maxTrainingPictures = 20;

/** Most optimizer steps of one training run. */
export const maxTrainSteps = 10_000;

/** Most pictures that one request draws, one a seed. */
export const maxDrawnPictures = 16;

/** Most steps of a sampler. */
export const maxSamplingSteps = 200;

/** Bounds of the guidance scale that the form takes. */
export const [minGuidanceScale, maxGuidanceScale] = [1, 30];

/** Largest seed that can be typed or is drawn. */
export const maxSeed = 2 ** 31 - 1;
