/** What kernels share: one thread an item, in one dimension, and results that are written or added. */

const GROUP = 256;

/** Workgroups for `items` threads; 65,535 groups of 256 are more than any tensor of a mapper needs. */
export function threads(items: number): readonly [number, number] {
  return [Math.ceil(items / GROUP), 1];
}

/** WGSL of an entry point that runs `statements` for each `i` below the WGSL expression `items`. */
export function perThread(items: string, statements: string): string {
  return `
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= ${items}) { return; }
  ${statements}
}`;
}

/** WGSL that writes a value or, where the parameter `flag` is 1, adds it to what is there. */
export function put(target: string, value: string, flag = 'accumulate'): string {
  return `${target} = select(0.0, ${target}, params.${flag} == 1u) + ${value};`;
}

/** The same on the CPU. */
export function putAt(target: Float32Array, i: number, value: number, accumulate: number): void {
  target[i] = accumulate === 1 ? target[i]! + value : value;
}
