/** The page: header, library, and three steps from left to right. Files can be dropped or pasted anywhere. */
import { useEffect } from 'react';
import { CreatePanel } from './CreatePanel.tsx';
import { Header } from './Header.tsx';
import { Library } from './Library.tsx';
import { LinkNotice } from './LinkNotice.tsx';
import { Loading } from './Loading.tsx';
import { PicturesPanel } from './PicturesPanel.tsx';
import { TrainPanel } from './TrainPanel.tsx';
import { UndoToast } from './UndoToast.tsx';
import { UpdateNotice } from './UpdateNotice.tsx';
import { useGivenFiles } from './useGivenFiles.ts';
import { useStudio } from './useStudio.ts';
import './theme.css';
import './controls.css';
import './layout.css';
import './pictures.css';
import './train.css';
import './create.css';
import './overlays.css';
import './models.css';
import './spaceTime.css';
import './grid.css';
import './media.css';

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
  const { getRootProps, getInputProps, isDragActive, open } = useGivenFiles();
  useTitle();
  return (
    <div {...getRootProps()}>
      <Header />
      <Library />
      <UpdateNotice />
      <LinkNotice />
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
