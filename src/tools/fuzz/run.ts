/** Feeds damaged files of a kind to their readers and keeps account of what became of them. */
import { AppError } from '../../lib/errors.ts';
import { Random } from '../../lib/random.ts';
import { KINDS } from './kinds.ts';
import type { Specimen } from './specimen.ts';

export interface FuzzReport {
  readonly kind: string;
  readonly files: number;
  /** Milliseconds of processor time that the slowest file took: a busy machine does not count. */
  readonly slowest: number;
  /** Which that was. */
  readonly slowestFile: string;
  /** What became of the files: `read`, or the code of the error that refused it, with how many. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Errors that are none of ours, with the file that each came from. */
  readonly raw: readonly string[];
}

/** @param files how many, spread evenly over the kind's specimens */
export async function fuzz(kind: string, files: number, seed: number): Promise<FuzzReport> {
  const specimens = await KINDS[kind]!();
  const outcomes = new Map<string, number>();
  const raw: string[] = [];
  let [slowest, slowestFile] = [0, ''];
  const random = new Random(seed);
  for (let i = 0; i < files; i++) {
    const specimen = specimens[i % specimens.length]!;
    const started = process.cpuUsage();
    const outcome = await outcomeOf(specimen, random);
    const { user, system } = process.cpuUsage(started);
    const took = (user + system) / 1000;
    if (took > slowest) [slowest, slowestFile] = [took, `file ${i}, ${specimen.name}`];
    if (outcome instanceof Error)
      raw.push(`file ${i}, ${specimen.name}: ${outcome.stack ?? outcome.message}`);
    const name = outcome instanceof Error ? 'raw' : outcome;
    outcomes.set(name, 1 + (outcomes.get(name) ?? 0));
  }
  return { kind, files, slowest, slowestFile, outcomes, raw };
}

async function outcomeOf({ bytes, damage, read }: Specimen, random: Random): Promise<string | Error> {
  try {
    await read(damage(bytes, random));
    return 'read';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    return error instanceof Error ? error : new Error(String(error));
  }
}
