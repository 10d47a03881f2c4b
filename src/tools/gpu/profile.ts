/**
 * What dominates: sums an onnxruntime profile's times by operator. On WebGPU the `Api` events hold each kernel's time on
 * the card, named "node&operator&program"; elsewhere the `Node` events hold the processor's.
 */
import { z } from '../../lib/zod.ts';
import { sum } from 'simple-statistics';

const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  dur: z.number().default(0),
  args: z.record(z.string(), z.unknown()).default({}),
});
type Event = z.infer<typeof eventSchema>;

export interface Share {
  readonly name: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** Of all kernels' time, 0…1. */
  readonly share: number;
}

/** Operators (`Conv/Im2Col`: operator and the program it ran) by falling time; `json` is the profile file's content. */
export function sumProfile(json: string): Share[] {
  const groups = new Map<string, number[]>();
  for (const event of z.array(eventSchema).parse(JSON.parse(json)).filter(isKernel))
    groups.set(nameOf(event), [...(groups.get(nameOf(event)) ?? []), event.dur]);
  const totals = [...groups].map(([name, times]) => ({
    name,
    calls: times.length,
    milliseconds: sum(times) / 1000,
  }));
  const all = sum(totals.map((total) => total.milliseconds));
  return totals
    .map((total) => ({ ...total, share: total.milliseconds / all }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
}

/**
 * Left out: `Node` events of the WebGPU provider, which are the time it took to encode a kernel, not to run it, and `If`,
 * which spans the nodes of its branch.
 */
function isKernel({ cat, name, args }: Event): boolean {
  if (cat === 'Api') return name.includes('&');
  if (args.provider === 'WebGpuExecutionProvider' || args.op_name === 'If') return false;
  return cat === 'Node' && name.endsWith('_kernel_time');
}

function nameOf({ cat, name, args }: Event): string {
  if (cat === 'Node') return `on the processor: ${String(args.op_name)}`;
  const [operator, program] = name.split('&').slice(-2);
  return operator === program ? operator! : `${operator}/${program}`;
}
