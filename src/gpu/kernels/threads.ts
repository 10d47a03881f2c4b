/** One thread an item, in one dimension: the entry point of every kernel that needs no workgroup memory. */

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
