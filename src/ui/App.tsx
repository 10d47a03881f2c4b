/** The page: header, library, and three steps from left to right. Files can be dropped or pasted anywhere. */
import { useEffect, useEffectEvent } from 'react';
import { useDropzone } from 'react-dropzone';
import { isConceptFile } from '../store/importFiles.ts';
import { CreatePanel } from './CreatePanel.tsx';
import { Header } from './Header.tsx';
import { Library } from './Library.tsx';
import { Loading } from './Loading.tsx';
import { PicturesPanel } from './PicturesPanel.tsx';
import { TrainPanel } from './TrainPanel.tsx';
import { UndoToast } from './UndoToast.tsx';
import { UpdateNotice } from './UpdateNotice.tsx';
import { useActions, useStudio } from './useStudio.ts';
import './theme.css';
import './controls.css';
import './layout.css';
import './pictures.css';
import './train.css';
import './create.css';
import './overlays.css';
import './models.css';
import './media.css';

/** Files that an installed page is opened with (Launch Handler API), which TypeScript does not know yet. */
interface LaunchQueue {
  setConsumer(take: (launched: { readonly files: readonly FileSystemFileHandle[] }) => void): void;
}

/** Concept files go to the library, anything else is taken for pictures. */
function useTakeFiles(): (files: readonly File[]) => void {
  const actions = useActions();
  return (files) => {
    const concepts = files.filter(isConceptFile);
    const pictures = files.filter((file) => !isConceptFile(file));
    if (concepts.length > 0) void actions().importConcepts(concepts);
    if (pictures.length > 0) void actions().addPictures(pictures);
  };
}

function usePaste(): void {
  const actions = useActions();
  useEffect(() => {
    const paste = ({ clipboardData }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])];
      if (files.length > 0) void actions().addPictures(files);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, [actions]);
}

/** Files that the installed studio is opened with. */
function useLaunched(takeFiles: (files: readonly File[]) => void): void {
  const take = useEffectEvent(takeFiles);
  useEffect(() => {
    const { launchQueue } = window as { launchQueue?: LaunchQueue };
    launchQueue?.setConsumer(
      ({ files }) => void Promise.all(files.map((file) => file.getFile())).then((all) => take(all)),
    );
  }, []);
}

function useTitle(): void {
  const percent = useStudio(({ training }) =>
    training === null ? null : Math.floor((100 * training.step) / training.steps),
  );
  useEffect(() => {
    document.title = percent === null ? 'NeTI Studio' : `${percent}% trained · NeTI Studio`;
  }, [percent]);
}

function Announcer() {
  const announcement = useStudio((state) => state.announcement);
  return (
    <p className="sr-only" role="status" aria-live="polite">
      {announcement}
    </p>
  );
}

export function App() {
  const takeFiles = useTakeFiles();
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    onDrop: takeFiles,
    noClick: true,
    noKeyboard: true,
    // It hears pastes inside the page only; usePaste hears those on the bare document too.
    noPaste: true,
  });
  usePaste();
  useLaunched(takeFiles);
  useTitle();
  return (
    <div {...getRootProps({ className: 'app', role: undefined, tabIndex: undefined })}>
      <Header />
      <Library />
      <UpdateNotice />
      <Loading />
      <main className="steps">
        <PicturesPanel choose={open} dragging={isDragActive}>
          <input {...getInputProps({ 'aria-label': 'Concept images', accept: 'image/*' })} />
        </PicturesPanel>
        <TrainPanel />
        <CreatePanel />
      </main>
      <Announcer />
      <UndoToast />
    </div>
  );
}
