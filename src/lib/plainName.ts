/** Names from files that strangers made: what turns the text around them, or cannot be seen at all, is dropped. */

/** Control characters, line separators, byte-order marks, and the marks, embeddings, overrides and isolates of bidirectional text. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** The name in one line without anything that hides or turns text. It may be empty then. */
export function plainName(name: string): string {
  return name
    .replace(/ *[\t\n\r\u2028\u2029]+ */g, ' ')
    .replace(UNSEEN, '')
    .trim();
}
