/** Pickles as data: what is read, and that nothing is ever called. */
import { describe, expect, it } from 'vitest';
import { readPickle } from './pickle.ts';
import { PickledObject } from './pickled.ts';

const ALLOWED = new Set(['collections.OrderedDict', 'builtins.set', 'torch.Tensor']);

/** Bytes of a pickle: numbers as they are, texts in UTF-8. */
function bytes(parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])),
  );
}

const readAll = (parts: readonly (string | number)[]) =>
  readPickle(bytes([0x80, 2, ...parts, '.']), ALLOWED).value;
const read = (...parts: (string | number)[]) => readAll(parts);
const short = (text: string) => [0x8c, text.length, text] as const;
const repeat = (count: number, ...parts: (string | number)[]) =>
  Array<typeof parts>(count).fill(parts).flat();

describe('readPickle', () => {
  it('builds data', () => {
    expect(
      read('](K', 1, 'M', 0, 1, 'J', 0xff, 0xff, 0xff, 0xff, 0x8a, 2, 0, 0x80, 'G?', ...repeat(7, 0), 'e'),
    ).toEqual([1, 256, -1, -32768, 2 ** -15]);
    expect(read('}(', ...short('a'), 'N', ...short('b'), 0x88, 'u')).toEqual(
      new Map<string, unknown>([
        ['a', null],
        ['b', true],
      ]),
    );
    expect(read('ccollections\nOrderedDict\n)R', ...short('k'), 'K', 7, 's')).toEqual(new Map([['k', 7]]));
    expect(read('cbuiltins\nset\n](K', 1, 'K', 1, 'e', 0x85, 'R')).toEqual(new Set([1]));
  });

  it('calls nothing: an allowed name becomes a record of what would be called', () => {
    const value = read('ctorch\nTensor\n)', 0x81, '}', ...short('x'), 'K', 3, 'sb');
    expect(value).toBeInstanceOf(PickledObject);
    expect(value).toMatchObject({ callable: 'torch.Tensor', isNew: true, state: new Map([['x', 3]]) });
  });

  it('keeps identity, and so cycles', () => {
    const list = read(']q', 0, 'h', 0, 'a');
    expect(Array.isArray(list) && list[0] === list).toBe(true);
  });

  it.each<[string, (string | number)[], RegExp]>([
    ['os.system by REDUCE', ['cos\nsystem\n', ...short('id'), 0x85, 'R'], /"os\.system"/],
    ['builtins.eval by REDUCE', ['cbuiltins\neval\n', ...short('1'), 0x85, 'R'], /"builtins\.eval"/],
    ['posix.system by STACK_GLOBAL', [...short('posix'), ...short('system'), 0x93], /"posix\.system"/],
    [
      'a name hidden in the attribute',
      [...short('torch'), ...short('Tensor.__init__.__globals__'), 0x93],
      /__globals__/,
    ],
    ['INST', ['(', ...short('id'), 'ios\nsystem\n'], /INST/],
    ['OBJ', ['(cos\nsystem\n', ...short('id'), 'o'], /"os\.system"/],
    ['OBJ of an allowed name', ['(ctorch\nTensor\no'], /OBJ/],
    ['EXT1', [0x82, 1], /EXT1/],
    ['EXT2', [0x83, 1, 0], /EXT2/],
    ['EXT4', [0x84, 1, 0, 0, 0], /EXT4/],
    ['NEWOBJ_EX', ['ctorch\nTensor\n)}', 0x92], /NEWOBJ_EX/],
    ['a call of a text', [...short('os.system'), ')R'], /no allowed Python name/],
    ['getattr', ['cbuiltins\ngetattr\n'], /"builtins\.getattr"/],
    ['an unknown operation', [0xff], /0xff/],
    ['a whole number of 200 bytes', [0x8a, 200, ...repeat(200, 1)], /200 bytes/],
    ['protocol 0', [0x80, 0], /protocol 0/],
  ])('refuses %s by name', (_, parts, message) => {
    expect(() => readAll(parts)).toThrow(expect.objectContaining({ code: 'pickle.refused' }));
    expect(() => readAll(parts)).toThrow(message);
  });

  it.each<[string, (string | number)[]]>([
    ['a text of 4 GB', ['X', 0xff, 0xff, 0xff, 0xff]],
    ['a text of 2⁶⁴ bytes', [0x8d, ...repeat(8, 0xff)]],
    ['bytes of 2⁶³', [0x8e, ...repeat(7, 0), 0x80]],
    ['a memo that was never kept', ['h', 9]],
    ['a mark without an end', ['t']],
    ['a pop across a mark', ['K', 1, '(0']],
    ['an empty stack', ['0']],
    ['an entry of a list', [']K', 1, 'K', 1, 's']],
    ['a key without a value', ['}(K', 1, 'u']],
    ['a state of a number', ['K', 1, '}b']],
    ['text that is no UTF-8', [0x8c, 1, 0xff]],
    ['no end of line in a name', ['cos']],
  ])('finds %s corrupt', (_, parts) => {
    expect(() => readAll(parts)).toThrow(expect.objectContaining({ code: 'pickle.corrupt' }));
  });

  it.each<[string, (string | number)[]]>([
    ['a million operations', repeat(300_000, 'N0')],
    [
      'one set made of a long list again and again',
      [
        ...['cbuiltins\nset\nq', 0, '0](', ...repeat(20_000, 'N'), 'eq', 1, '0'],
        ...repeat(1000, 'h', 0, 'h', 1, 0x85, 'R0'),
      ],
    ],
  ])('stops at %s', (_, parts) => {
    expect(() => readAll(parts)).toThrow(/more than 500000 steps/);
  });

  it('takes deep nesting and a billion laughs as what they are: a few hundred thousand references', () => {
    expect(readAll([...repeat(100_000, ']'), ...repeat(99_999, 'a')])).toHaveLength(1);
    const doubled = Array.from({ length: 60 }, (_, i) => ['](h', i, 'h', i, 'eq', i + 1] as const).flat();
    expect(readAll([']q', 0, ...doubled])).toHaveLength(2);
  });
});
