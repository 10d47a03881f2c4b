/**
 * The inner loop of the CPU's matrix product in WebAssembly SIMD, assembled here by hand (core specification 2.0,
 * binary format): JavaScript multiplies one float64 at a time, this four float32. Every engine that onnxruntime-web
 * runs on has SIMD.
 */

/** Lines of a left panel, and columns of a right panel (two vectors of four). */
export const LEFT_LINES = 4;
export const RIGHT_LINES = 8;

const PAGE_BYTES = 65536;
const VECTOR_BYTES = 16;

interface Exports {
  readonly memory: WebAssembly.Memory;
  /** block[4, 8] at `block` = Σ over depth of left[depth, 4]ᵀ · right[depth, 8]; all addresses in bytes. */
  readonly multiply: (left: number, right: number, block: number, leftEnd: number) => void;
}

const op = {
  loop: [0x03, 0x40],
  end: [0x0b],
  continueLoopIf: [0x0d, 0x00],
  lessThan: [0x49],
  addInteger: [0x6a],
  addVector: [0xfd, 0xe4, 0x01],
  multiplyVector: [0xfd, 0xe6, 0x01],
  get: (local: number) => [0x20, local],
  set: (local: number) => [0x21, local],
  integer: (value: number) => [0x41, value],
  load: (offset: number) => [0xfd, 0x00, 0x00, offset],
  loadSplat: (offset: number) => [0xfd, 0x09, 0x00, offset],
  store: (offset: number) => [0xfd, 0x0b, 0x00, offset],
} as const;

/** Locals: the four parameters, then eight sums, the two right vectors, and one left element in all lanes. */
const LOCAL = { left: 0, right: 1, block: 2, leftEnd: 3, sums: 4, low: 12, high: 13, element: 14 } as const;
const VECTOR_LOCALS = 11;

function accumulate(sum: number, right: number): number[] {
  const product = [...op.get(LOCAL.element), ...op.get(right), ...op.multiplyVector];
  return [...op.get(sum), ...product, ...op.addVector, ...op.set(sum)];
}

function body(): number[] {
  const lines = Array.from({ length: LEFT_LINES }, (_, line) => [
    ...[...op.get(LOCAL.left), ...op.loadSplat(4 * line), ...op.set(LOCAL.element)],
    ...accumulate(LOCAL.sums + 2 * line, LOCAL.low),
    ...accumulate(LOCAL.sums + 2 * line + 1, LOCAL.high),
  ]).flat();
  const advance = (pointer: number, bytes: number) => [
    ...[...op.get(pointer), ...op.integer(bytes), ...op.addInteger, ...op.set(pointer)],
  ];
  const stores = Array.from({ length: 2 * LEFT_LINES }, (_, i) => [
    ...[...op.get(LOCAL.block), ...op.get(LOCAL.sums + i), ...op.store(VECTOR_BYTES * i)],
  ]).flat();
  return [
    ...op.loop,
    ...[...op.get(LOCAL.right), ...op.load(0), ...op.set(LOCAL.low)],
    ...[...op.get(LOCAL.right), ...op.load(VECTOR_BYTES), ...op.set(LOCAL.high)],
    ...lines,
    ...advance(LOCAL.right, 4 * RIGHT_LINES),
    ...advance(LOCAL.left, 4 * LEFT_LINES),
    ...[...op.get(LOCAL.left), ...op.get(LOCAL.leftEnd), ...op.lessThan, ...op.continueLoopIf],
    ...op.end,
    ...stores,
    ...op.end,
  ];
}

/** A length in LEB128 (always two bytes), then the bytes. */
function sized(bytes: readonly number[]): number[] {
  return [(bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes];
}

const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];

function assemble(): Uint8Array<ArrayBuffer> {
  const [i32, v128] = [0x7f, 0x7b];
  const code = [1, VECTOR_LOCALS, v128, ...body()];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 4, i32, i32, i32, i32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x00, 1]),
    ...section(7, [2, ...text('memory'), 0x02, 0, ...text('multiply'), 0x00, 0]),
    ...section(10, [1, ...sized(code)]),
  ]);
}

let instance: Exports | null = null;

/** The module, made on first use, with room for `elements` float32. */
export function simd(elements: number): { memory: Float32Array; multiply: Exports['multiply'] } {
  instance ??= new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as unknown as Exports;
  const missing = elements * 4 - instance.memory.buffer.byteLength;
  if (missing > 0) instance.memory.grow(Math.ceil(missing / PAGE_BYTES));
  return { memory: new Float32Array(instance.memory.buffer), multiply: instance.multiply };
}
