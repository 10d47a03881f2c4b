/** What keeping a training costs it: the worker's time for a checkpoint, against the time between two. */
import { median } from 'simple-statistics';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { CHECKPOINT_PERIOD, TrainingRun, type RunBase } from '../neti/run.ts';
import type { TrainingPicture } from '../neti/trainer.ts';

export interface CheckpointCost {
  readonly bytes: number;
  /** To read mapper and optimizer back, hash and write the file, and copy it to the page; a median. */
  readonly milliseconds: number;
  /** Of the time between two checkpoints. */
  readonly ratio: number;
}

export async function benchCheckpoint(
  base: Omit<RunBase, 'identity' | 'architecture'>,
  picture: TrainingPicture,
  repeats: number,
): Promise<CheckpointCost> {
  const settings = { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2 };
  const run = await TrainingRun.begin(
    { ...base, identity: { id: 'bench', hash: '0'.repeat(64) }, architecture: 'bench' },
    { settings, category: 'toy', pictures: [picture], templates: ['a photo of a {}'] },
  );
  await run.next();
  const label = { name: 'bench', kind: 'object', created: new Date().toISOString(), thumbnail: '' } as const;
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    bytes = structuredClone(await run.save(label, { withOptimizer: true })).length;
    times.push(performance.now() - start);
  }
  run.release();
  const milliseconds = median(times);
  return { bytes, milliseconds, ratio: milliseconds / CHECKPOINT_PERIOD };
}
