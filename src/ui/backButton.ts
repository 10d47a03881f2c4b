/**
 * The browser's back button closes what lies over the page before it leaves the page: while anything is open, one entry of the
 * history stands for it.
 */
import { useEffect, useEffectEvent } from 'react';

/** What closes each window that is open, the newest last. */
const open: (() => void)[] = [];

/** Set while the page itself goes back, over an entry that nothing stands behind any more. */
let isLeaving = false;

const isMarked = () => (history.state as { over?: boolean } | null)?.over === true;

function mark(): void {
  if (!isMarked()) history.pushState({ over: true }, '');
}

function onPopState(): void {
  if (!isLeaving) open.at(-1)?.();
  isLeaving = false;
  // What is closed by now takes itself off the list.
  setTimeout(() => open.length > 0 && mark());
}

/** Later: the next window may open in the same moment, and then keeps the entry. */
function leave(): void {
  setTimeout(() => {
    if (open.length > 0 || !isMarked()) return;
    isLeaving = true;
    history.back();
  });
}

function whileOpen(close: () => void): () => void {
  // Once: the same listener is not added again.
  window.addEventListener('popstate', onPopState);
  open.push(close);
  mark();
  return () => {
    open.splice(open.indexOf(close), 1);
    leave();
  };
}

/** While the component is there, back calls `onClose`. */
export function useBackButton(onClose: () => void): void {
  const close = useEffectEvent(onClose);
  useEffect(() => whileOpen(() => close()), []);
}
