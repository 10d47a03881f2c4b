/**
 * JSON.parse silently keeps the last of two equal keys, which lets a hostile file show one value to a checker and
 * another to a reader. This finds such a key in text that JSON.parse has already accepted.
 */

/** The first key that occurs twice in one object, or null. */
export function findDuplicateKey(validJson: string): string | null {
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gs;
  const open: Set<string>[] = [];
  for (const [token, colon] of validJson.matchAll(tokens)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return null;
}
