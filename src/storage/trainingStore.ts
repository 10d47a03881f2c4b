/**
 * Trainings under way or cut short, one a concept: what was asked for, and checkpoints that take turns in two slots. Each is
 * written in one transaction; a file that a power cut left unreadable leaves the checkpoint before it.
 */
import type { KeyValue } from './keyValue.ts';
import { checkpointSchema, trainingOrderSchema, type Checkpoint, type TrainingOrder } from './records.ts';

export interface KeptTraining {
  readonly order: TrainingOrder;
  /** Where it was cut short; null for one that begins. */
  readonly checkpoint: Checkpoint | null;
}

export interface TrainingStore {
  /** Oldest first; one that cannot be read is left out. */
  list(): Promise<KeptTraining[]>;
  /** From here on its checkpoints count and those of earlier runs do not. Throws `storage.full` or `storage.blocked`. */
  begin(order: TrainingOrder): Promise<void>;
  /** Throws as `begin`; the checkpoint before stays. */
  keep(checkpoint: Checkpoint): Promise<void>;
  forget(conceptId: string): Promise<void>;
  clear(): Promise<void>;
}

const SLOTS = [0, 1] as const;
type Slot = (typeof SLOTS)[number];

const orderKey = (conceptId: string) => `order ${conceptId}`;
const slotKey = (conceptId: string, slot: Slot) => `checkpoint ${slot} ${conceptId}`;

export function trainingStore(values: KeyValue): TrainingStore {
  /** Where each concept's newest checkpoint lies. */
  const newest = new Map<string, Slot>();

  async function newestCheckpoint({ run, record }: TrainingOrder): Promise<Checkpoint | null> {
    const read = SLOTS.map(async (slot) => ({
      slot,
      checkpoint: await readable(await values.get(slotKey(record.id, slot)), run),
    }));
    const [last] = (await Promise.all(read)).toSorted((a, b) => stepOf(b.checkpoint) - stepOf(a.checkpoint));
    newest.set(record.id, last!.slot);
    return last!.checkpoint;
  }

  return {
    async list() {
      const orders = (await values.entries()).flatMap(([key, value]) =>
        key.startsWith(orderKey('')) ? (trainingOrderSchema.safeParse(value).data ?? []) : [],
      );
      const kept = orders.map(async (order) => ({ order, checkpoint: await newestCheckpoint(order) }));
      return (await Promise.all(kept)).toSorted((a, b) => a.order.begun.localeCompare(b.order.begun));
    },
    begin: (order) => values.set(orderKey(order.record.id), order),
    async keep(checkpoint) {
      const { conceptId } = checkpoint;
      const slot = newest.get(conceptId) === 0 ? 1 : 0;
      await values.set(slotKey(conceptId, slot), checkpoint);
      newest.set(conceptId, slot);
    },
    async forget(conceptId) {
      await values.delete(orderKey(conceptId));
      for (const slot of SLOTS) await values.delete(slotKey(conceptId, slot));
    },
    clear: () => values.clear(),
  };
}

const stepOf = (checkpoint: Checkpoint | null) => checkpoint?.step ?? -1;

async function readable(value: unknown, run: string): Promise<Checkpoint | null> {
  const { data } = checkpointSchema.safeParse(value);
  if (data?.run !== run) return null;
  return data.file.arrayBuffer().then(
    () => data,
    () => null,
  );
}
