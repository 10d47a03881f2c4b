/**
 * Reads Python pickles (protocols 2 to 5) as inert data. A pickle is a program for a stack machine that may call any Python
 * function; this machine calls nothing. It knows the operations that build data, and a class or function only if its name is
 * on the caller's list: "calling" one yields a `PickledObject`, a record of the name and the arguments. Everything else
 * is refused by name.
 *
 * No operation recurses, none takes longer than the bytes it reads or the items it has been charged for, and both are
 * bounded, so that no file hangs the reader or makes it allocate more than a small multiple of its own size.
 */
import { ByteReader } from './byteReader.ts';
import { AppError } from './errors.ts';
import { PersistentId, PickledGlobal, PickledObject, PickledTuple, type Pickled } from './pickled.ts';

export interface PickleContents {
  readonly value: Pickled;
  readonly persistentIds: readonly PersistentId[];
  /** Offset of the first byte after the pickle. */
  readonly end: number;
}

export interface PickleOptions {
  /** Of the pickle's first byte. */
  readonly offset?: number;
  readonly resolve?: (reference: PersistentId) => Pickled;
}

/** Operations and items together; a NeTI mapper takes about 600. */
const MAX_COST = 500_000;
/** Python's whole numbers have no size; torch's magic number takes 10 bytes. */
const MAX_LONG_BYTES = 16;
const MAPPINGS = new Set(['collections.OrderedDict', 'builtins.dict', '__builtin__.dict']);
const SETS = new Set(['builtins.set', '__builtin__.set']);

/**
 * @param globals the names that may occur, `module.name`; those of dict, OrderedDict and set become a Map and a Set.
 * @param resolve what stands for a persistent id in the data; the id itself when left out
 * Throws `pickle.refused` for an operation or a name that is not allowed, `pickle.corrupt` for a damaged pickle.
 */
export function readPickle(
  file: Uint8Array,
  globals: ReadonlySet<string>,
  { offset = 0, resolve = (id) => id }: PickleOptions = {},
): PickleContents {
  const machine = new Machine(new ByteReader(file, 'pickle.corrupt', offset), globals, resolve);
  const value = machine.run();
  return { value, persistentIds: machine.persistentIds, end: machine.input.offset };
}

class Machine {
  readonly input: ByteReader;
  readonly persistentIds: PersistentId[] = [];
  private readonly globals: ReadonlySet<string>;
  private readonly resolve: (reference: PersistentId) => Pickled;
  private readonly stack: Pickled[] = [];
  /** Heights of the stack at the marks that are still open. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Pickled>();
  private cost = 0;

  constructor(
    input: ByteReader,
    globals: ReadonlySet<string>,
    resolve: (reference: PersistentId) => Pickled,
  ) {
    this.input = input;
    this.globals = globals;
    this.resolve = resolve;
  }

  run(): Pickled {
    for (;;) {
      this.spend(1);
      const code = this.input.uint8();
      if (code === STOP) return this.pop();
      const operation = OPERATIONS.get(code);
      if (!operation) throw refused(`the operation ${REFUSED.get(code) ?? `0x${code.toString(16)}`}`);
      operation(this);
    }
  }

  spend(items: number): void {
    this.cost += items;
    if (this.cost > MAX_COST) throw corrupt(`it takes more than ${MAX_COST} steps to read`);
  }

  push(value: Pickled): void {
    this.stack.push(value);
  }

  pop(): Pickled {
    this.expect(1);
    return this.stack.pop()!;
  }

  /** The items on top, down to the last mark, which is removed. */
  popMark(): Pickled[] {
    const height = this.marks.pop();
    if (height === undefined) throw corrupt('it closes a group that it never opened');
    return this.stack.splice(height);
  }

  popItems(count: number): Pickled[] {
    this.expect(count);
    return this.stack.splice(this.stack.length - count);
  }

  top(): Pickled {
    this.expect(1);
    return this.stack.at(-1)!;
  }

  mark(): void {
    this.marks.push(this.stack.length);
  }

  private expect(count: number): void {
    const available = this.stack.length - (this.marks.at(-1) ?? 0);
    if (available < count) throw corrupt(`it takes ${count} items where there are ${available}`);
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw corrupt(`it refers to item ${index}, which it never kept`);
    this.push(value);
  }

  text(length: number): string {
    return utf8(this.input.take(length));
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.globals.has(full)) throw refused(`the Python name ${JSON.stringify(full.slice(0, 80))}`);
    this.push(new PickledGlobal(full));
  }

  stackGlobal(): void {
    const [module, name] = this.popItems(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw corrupt('a Python name is no text');
    this.global(module, name);
  }

  call(isNew: boolean): void {
    const [callable, args] = this.popItems(2);
    if (!(callable instanceof PickledGlobal))
      throw refused('a call of something that is no allowed Python name');
    if (!(args instanceof PickledTuple)) throw corrupt('the arguments of a call are no tuple');
    this.push(this.made(callable.name, args, isNew));
  }

  private made(name: string, args: PickledTuple, isNew: boolean): Pickled {
    if (MAPPINGS.has(name) && args.items.length === 0) return new Map();
    if (SETS.has(name)) {
      const [items = []] = args.items;
      if (!Array.isArray(items)) throw corrupt('a set is made of something that is no list');
      this.spend(items.length);
      return new Set(items);
    }
    return new PickledObject(name, args, isNew);
  }

  /** What Python would hand to `__setstate__`. A mapping's own attributes are dropped: nobody reads them. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof PickledObject) target.state = state;
    else if (!(target instanceof Map)) throw corrupt('it gives a state to something that has none');
  }

  append(items: readonly Pickled[]): void {
    const target = this.top();
    if (!Array.isArray(target)) throw corrupt('it appends to something that is no list');
    for (const item of items) target.push(item);
  }

  add(items: readonly Pickled[]): void {
    const target = this.top();
    if (!(target instanceof Set)) throw corrupt('it adds to something that is no set');
    for (const item of items) target.add(item);
  }

  setItems(items: readonly Pickled[]): void {
    const target = this.top();
    if (!(target instanceof Map)) throw corrupt('it sets an entry of something that is no dictionary');
    if (items.length % 2 !== 0) throw corrupt('a dictionary has a key without a value');
    for (let i = 0; i < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
  }

  persistentId(): void {
    const reference = new PersistentId(this.pop());
    this.persistentIds.push(reference);
    this.push(this.resolve(reference));
  }

  protocol(): void {
    const version = this.input.uint8();
    if (version < 2 || version > 5) throw refused(`protocol ${version} (2 to 5 are read)`);
  }

  /** A whole number in two's complement, little-endian. */
  long(length: number): void {
    if (length > MAX_LONG_BYTES) throw refused(`a whole number of ${length} bytes`);
    const bytes = this.input.take(length);
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    this.push(Number.isSafeInteger(number) ? number : signed);
  }
}

type Operation = (machine: Machine) => void;

const STOP = 0x2e;

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, (m) => m.protocol()], // PROTO
  [0x95, (m) => void m.input.uint64()], // FRAME: a hint for buffering
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x31, (m) => void m.popMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4a, (m) => m.push(m.input.int32())], // BININT
  [0x4b, (m) => m.push(m.input.uint8())], // BININT1
  [0x4d, (m) => m.push(m.input.uint16())], // BININT2
  [0x8a, (m) => m.long(m.input.uint8())], // LONG1
  [0x47, (m) => m.push(m.input.float64BigEndian())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.input.uint32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.input.uint8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.input.uint64()))], // BINUNICODE8
  [0x54, (m) => m.push(m.text(m.input.uint32()))], // BINSTRING, of Python 2
  [0x55, (m) => m.push(m.text(m.input.uint8()))], // SHORT_BINSTRING
  [0x42, (m) => m.push(m.input.take(m.input.uint32()))], // BINBYTES
  [0x43, (m) => m.push(m.input.take(m.input.uint8()))], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.input.take(m.input.uint64()))], // BINBYTES8
  [0x96, (m) => m.push(m.input.take(m.input.uint64()))], // BYTEARRAY8
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x8f, (m) => m.push(new Set())], // EMPTY_SET
  [0x29, (m) => m.push(new PickledTuple([]))], // EMPTY_TUPLE
  [0x85, (m) => m.push(new PickledTuple(m.popItems(1)))], // TUPLE1
  [0x86, (m) => m.push(new PickledTuple(m.popItems(2)))], // TUPLE2
  [0x87, (m) => m.push(new PickledTuple(m.popItems(3)))], // TUPLE3
  [0x74, (m) => m.push(new PickledTuple(m.popMark()))], // TUPLE
  [0x61, (m) => m.append(m.popItems(1))], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x73, (m) => m.setItems(m.popItems(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x90, (m) => m.add(m.popMark())], // ADDITEMS
  [0x71, (m) => m.remember(m.input.uint8())], // BINPUT
  [0x72, (m) => m.remember(m.input.uint32())], // LONG_BINPUT
  [0x94, (m) => m.rememberNext()], // MEMOIZE
  [0x68, (m) => m.recall(m.input.uint8())], // BINGET
  [0x6a, (m) => m.recall(m.input.uint32())], // LONG_BINGET
  [0x63, (m) => m.global(utf8(m.input.line()), utf8(m.input.line()))], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x52, (m) => m.call(false)], // REDUCE
  [0x81, (m) => m.call(true)], // NEWOBJ
  [0x62, (m) => m.build()], // BUILD
  [0x51, (m) => m.persistentId()], // BINPERSID
]);

/** Names for the message; torch writes none of these. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
  [0x92, 'NEWOBJ_EX'],
  [0x50, 'PERSID'],
  [0x8b, 'LONG4'],
  [0x91, 'FROZENSET'],
  [0x97, 'NEXT_BUFFER'],
  [0x98, 'READONLY_BUFFER'],
]);

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw corrupt('a text in it is not UTF-8');
  }
}

function corrupt(problem: string): AppError {
  return new AppError('pickle.corrupt', `This is not a valid pickle: ${problem}.`);
}

function refused(what: string): AppError {
  return new AppError(
    'pickle.refused',
    `This file contains ${what}, which is neither a tensor nor plain data. Nothing else is read, so it was left alone.`,
  );
}
