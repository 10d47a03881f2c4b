/** Files and pictures that are dropped or pasted anywhere on the page, chosen, or opened with the installed studio. */
import { useEffect, type DragEvent } from 'react';
import { useDropzone } from 'react-dropzone';
import { carriesFiles, carriesLink, draggedAddress, isTextField } from './given.ts';
import { useActions } from './useStudio.ts';

function usePaste(): void {
  const actions = useActions();
  useEffect(() => {
    const paste = ({ clipboardData, target }: ClipboardEvent) => {
      // Spreadsheets and word processors put a picture of the text beside it.
      const isText = isTextField(target) && clipboardData?.types.includes('text/plain');
      const files = [...(clipboardData?.files ?? [])];
      if (files.length > 0 && !isText) void actions().takeFiles(files);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [actions]);
}

/** Files that an installed page is opened with (Launch Handler API), which TypeScript does not know yet. */
interface LaunchQueue {
  setConsumer(take: (launched: { readonly files: readonly FileSystemFileHandle[] }) => void): void;
}

/** Files that the installed studio is opened with. */
function useLaunched(): void {
  const actions = useActions();
  useEffect(() => {
    const { launchQueue } = window as { launchQueue?: LaunchQueue };
    launchQueue?.setConsumer(
      ({ files }) =>
        void Promise.all(files.map((file) => file.getFile())).then((all) => actions().takeFiles(all)),
    );
  }, [actions]);
}

/** A file that misses the page must not replace it. */
function useNoNavigation(): void {
  useEffect(() => {
    const keep = (event: globalThis.DragEvent) => {
      if (event.dataTransfer && carriesFiles(event.dataTransfer)) event.preventDefault();
    };
    document.addEventListener('dragover', keep);
    document.addEventListener('drop', keep);
    return () => {
      document.removeEventListener('dragover', keep);
      document.removeEventListener('drop', keep);
    };
  }, []);
}

export function useGivenFiles() {
  const actions = useActions();
  usePaste();
  useLaunched();
  useNoNavigation();
  const { getRootProps, ...rest } = useDropzone({
    onDrop: (files) => void actions().takeFiles(files),
    noClick: true,
    noKeyboard: true,
    // It hears pastes inside the page only; usePaste hears those on the bare document too.
    noPaste: true,
    // It would take text out of the hands of text fields.
    preventDropOnDocument: false,
  });
  /** Stopping an event keeps the drop zone out of it. */
  const over = (event: DragEvent) => {
    if (carriesFiles(event.dataTransfer)) return;
    event.stopPropagation();
    if (carriesLink(event.dataTransfer) && !isTextField(event.target)) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    if (carriesFiles(event.dataTransfer)) return;
    event.stopPropagation();
    const address = isTextField(event.target) ? null : draggedAddress(event.dataTransfer);
    if (address === null) return;
    event.preventDefault();
    void actions().takeLink(address);
  };
  const handlers = { onDragEnter: over, onDragOver: over, onDrop: drop };
  return {
    ...rest,
    getRootProps: () => getRootProps({ className: 'app', role: undefined, tabIndex: undefined, ...handlers }),
  };
}
