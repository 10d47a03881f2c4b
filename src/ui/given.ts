/** What a drag or the clipboard carries, and where it belongs: text in a text field is the browser's own business. */

/** Inputs that hold no text. */
const NOT_TEXT = ['button', 'checkbox', 'color', 'file', 'radio', 'range', 'submit'];

export function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !NOT_TEXT.includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}

type Carried = Pick<DataTransfer, 'types' | 'getData'>;

export function carriesFiles({ types }: Carried): boolean {
  return types.includes('Files');
}

export function carriesLink({ types }: Carried): boolean {
  return types.includes('text/uri-list');
}

/** The address of what was dragged from another page: of the picture rather than of the link around it. Null for none. */
export function draggedAddress(data: Carried): string | null {
  const source = /<img\b[^>]*?\ssrc\s*=\s*["']([^"'<>]+)["']/i.exec(data.getData('text/html'))?.[1];
  const [link] = data
    .getData('text/uri-list')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'));
  return (
    [source?.replaceAll('&amp;', '&'), link].find((address) => address && /^https?:/i.test(address)) ?? null
  );
}
