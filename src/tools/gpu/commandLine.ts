/** Options of the command lines that measure on a card. */
import { parseArgs } from 'node:util';
import { z } from '../../lib/zod.ts';
import { AppError } from '../../lib/errors.ts';

/** The options that the schema names; `flags` are those without a value. Throws `bench.options` naming what is wrong. */
export function readOptions<Schema extends z.ZodObject>(
  schema: Schema,
  flags: readonly string[],
): z.output<Schema> {
  const type = (name: string) => (flags.includes(name) ? 'boolean' : 'string');
  const names = Object.keys(schema.shape).map((name) => [name, { type: type(name) }] as const);
  const parsed = schema.safeParse(parseArgs({ options: Object.fromEntries(names) }).values);
  if (parsed.success) return parsed.data;
  throw new AppError('bench.options', z.prettifyError(parsed.error));
}

/** Runs a command; an error ends it with one message and a status of 1. */
export function runCommand(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
