/** Which files are concepts, and which belong together. */

/** Whether its name is that of a concept: for files whose contents say nothing. */
export function isConceptFile({ name }: { readonly name: string }): boolean {
  return /\.(safetensors|pt|pth|bin|ckpt)$/i.test(name);
}

/** `mapper-steps-250.pt` and `learned_embeds-steps-250.bin` are one concept; every other file is one by itself. */
export function groupConceptFiles<F extends { readonly name: string }>(files: readonly F[]): F[][] {
  const embeds = new Map(files.map((file) => [file.name, file]));
  const partners = files.map((file) => embeds.get(partnerOf(file.name, 'mapper') ?? ''));
  const taken = new Set(partners);
  return files.flatMap((file, i) => {
    const partner = partners[i];
    if (partner) return [[file, partner]];
    return taken.has(file) ? [] : [[file]];
  });
}

/** The name of the file that the official code writes beside this one, a mapper or an embedding file; else undefined. */
export function partnerOf(name: string, kind: 'mapper' | 'embeds'): string | undefined {
  const [pattern, partner] =
    kind === 'mapper'
      ? ([/^mapper-(.+)\.pt$/, 'learned_embeds-$1.bin'] as const)
      : ([/^learned_embeds-(.+)\.bin$/, 'mapper-$1.pt'] as const);
  return pattern.test(name) ? name.replace(pattern, partner) : undefined;
}
