/** What a mapper's weights begin as: the base's starting mapper, or the official implementation's random numbers. */
export const TRAINING_STARTS = ['starting-mapper', 'official'] as const;
export type TrainingStart = (typeof TRAINING_STARTS)[number];

/** What is begun with unless somebody chooses; models/README.md has the measurement. */
export const USUAL_START: TrainingStart = 'starting-mapper';
