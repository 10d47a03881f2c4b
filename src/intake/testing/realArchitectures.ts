/** For tests and tools: the architectures of checkpoint/fixtures/make_real_headers.py at their real width, without a number: folders of diffusers to plan with. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { z } from '../../lib/zod.ts';
import { Outline } from '../outline.ts';
import { plannedEstimates } from '../plannedMemory.ts';
import { makePlan, type ModelPlan } from '../plan.ts';
import type { MemoryEstimate } from '../preflight.ts';

const source = new URL('../../checkpoint/fixtures/real.json.gz', import.meta.url);
const headersSchema = z.record(z.string(), z.record(z.string(), z.string()));
const endsSchema = z.record(z.string(), z.object({ data_offsets: z.tuple([z.number(), z.number()]) }));

/** A file with this header and tensors that nobody reads. */
function hollow(header: string): Outline {
  const json = new TextEncoder().encode(header);
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  const ends = Object.values(endsSchema.parse(JSON.parse(header))).map(({ data_offsets: [, end] }) => end);
  return new Outline(head, head.length + Math.max(...ends));
}

export async function realPlan(architecture: string): Promise<ModelPlan> {
  const models = headersSchema.parse(JSON.parse(gunzipSync(await readFile(source)).toString()));
  const files = Object.entries(models[architecture]!).map(([path, text]) => {
    const from = (path.endsWith('.safetensors') ? hollow(text) : new File([text], path)) as File;
    return { path, bytes: from.size, from, sha256: null, gitBlob: null };
  });
  const named = { kind: 'folder', name: architecture } as const;
  return makePlan({ title: architecture, source: named, files, licence: null, weights: 'half', notes: [] });
}

/** What drawing and training take of memory, in half precision and in full. */
export async function plannedNeeds(architecture: string, totalBytes: number): Promise<MemoryEstimate[]> {
  const plan = { ...(await realPlan(architecture)), totalBytes };
  const needs: MemoryEstimate[] = [];
  for (const half of [true, false]) {
    const [estimate] = (await plannedEstimates(plan, half, new AbortController().signal))!;
    const { precision, draw, train } = estimate!;
    needs.push({ precision, draw: figures(draw), train: figures(train) });
  }
  return needs;
}

function figures({ weightBytes, activationBytes, largestBytes }: MemoryEstimate['draw']) {
  return { weightBytes, activationBytes, largestBytes: largestBytes! };
}
