/** Writes the values of pickle.ts as a Python pickle, protocol 2, as torch does. A Map becomes a plain dictionary. */
import { AppError } from './errors.ts';
import { PersistentId, PickledGlobal, PickledObject, PickledTuple, type Pickled } from './pickled.ts';

/** Throws `pickle.unwritable` for sets and byte strings, which these files do not need. */
export function writePickle(value: Pickled): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2)];
  for (const part of encode(value)) parts.push(part);
  parts.push(Uint8Array.of(0x2e));
  return concatenate(parts);
}

type Parts = Iterable<Uint8Array>;

const op = (code: string): Uint8Array => new TextEncoder().encode(code);
const byte = (code: number): Uint8Array => Uint8Array.of(code);

function* encode(value: Pickled): Parts {
  if (value === null) yield op('N');
  else if (typeof value === 'boolean') yield byte(value ? 0x88 : 0x89);
  else if (typeof value === 'number') yield encodeNumber(value);
  else if (typeof value === 'string') yield encodeText(value);
  else if (Array.isArray(value)) yield* group(']', value, 'e');
  else if (value instanceof Map) yield* group('}', [...value].flat(1), 'u');
  else if (value instanceof PickledTuple) yield* group('', value.items, 't');
  else if (value instanceof PickledGlobal) yield encodeGlobal(value.name);
  else if (value instanceof PickledObject) yield* encodeObject(value);
  else if (value instanceof PersistentId) yield* [...encode(value.id), op('Q')];
  else throw new AppError('pickle.unwritable', `Cannot write a ${typeof value} into a pickle.`);
}

function* group(start: string, items: readonly Pickled[], end: string): Parts {
  yield op(`${start}(`);
  for (const item of items) yield* encode(item);
  yield op(end);
}

function* encodeObject({ callable, args, isNew, state }: PickledObject): Parts {
  yield encodeGlobal(callable);
  yield* encode(args);
  yield isNew ? byte(0x81) : op('R');
  if (state === null) return;
  yield* encode(state);
  yield op('b');
}

function encodeGlobal(name: string): Uint8Array {
  const dot = name.lastIndexOf('.');
  return op(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`);
}

/** Whole numbers of 32 bits as integers, any other as a float. */
function encodeNumber(value: number): Uint8Array {
  const isInteger = (value | 0) === value && !Object.is(value, -0);
  const bytes = new Uint8Array(isInteger ? 5 : 9);
  const view = new DataView(bytes.buffer);
  bytes[0] = isInteger ? 0x4a : 0x47;
  if (isInteger) view.setInt32(1, value, true);
  else view.setFloat64(1, value, false);
  return bytes;
}

function encodeText(text: string): Uint8Array {
  const content = new TextEncoder().encode(text);
  const bytes = new Uint8Array(5 + content.length);
  bytes[0] = 0x58;
  new DataView(bytes.buffer).setUint32(1, content.length, true);
  bytes.set(content, 5);
  return bytes;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
