/** A result large, with how it was made; arrow keys go through all of them. */
import { Dialog } from '@base-ui/react/dialog';
import { recipeDetails } from '../store/recipe.ts';
import type { ResultRecord } from '../store/state.ts';
import { download } from './blobUrl.ts';
import { Details } from './Details.tsx';
import { Icon } from './icons.tsx';
import { Modal } from './Modal.tsx';
import { pictureName, resultFileName } from './resultWords.ts';
import { useActions, useStudio } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';

/** Goes to the picture that many places further; does nothing at the ends. */
function useNeighbour(result: ResultRecord) {
  const actions = useActions();
  const results = useStudio((state) => state.results);
  return (offset: number) => {
    const next = results[results.indexOf(result) + offset];
    if (next !== undefined) actions().chooseResult(next.id);
  };
}

function Enlarged({ result, go }: { result: ResultRecord; go: (offset: number) => void }) {
  return (
    <div className="enlarged">
      <BlobImage blob={result.picture} alt={pictureName(result, result.truncation)} />
      <button type="button" className="icon-button" aria-label="Earlier picture" onClick={() => go(-1)}>
        <Icon name="back" />
      </button>
      <button type="button" className="icon-button" aria-label="Later picture" onClick={() => go(1)}>
        <Icon name="next" />
      </button>
    </div>
  );
}

interface EnlargeDialogProps {
  readonly result: ResultRecord;
  readonly onClose: () => void;
}

function Side({ result, onClose }: EnlargeDialogProps) {
  const actions = useActions();
  const reuse = () => {
    actions().reuseResult(result.id);
    onClose();
  };
  return (
    <div className="enlarged-side">
      <Dialog.Title className="dialog-title">{result.prompt}</Dialog.Title>
      <Details rows={recipeDetails(result)} />
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={reuse}>
          Use these settings
        </button>
        <button
          type="button"
          className="button"
          onClick={() => download(result.picture, resultFileName(result))}
        >
          Download PNG
        </button>
        <Dialog.Close className="button button-primary">Close</Dialog.Close>
      </div>
    </div>
  );
}

export function EnlargeDialog({ result, onClose }: EnlargeDialogProps) {
  const go = useNeighbour(result);
  return (
    <Modal
      onClose={onClose}
      className="dialog dialog-picture"
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') go(-1);
        if (event.key === 'ArrowRight') go(1);
      }}
    >
      <Enlarged result={result} go={go} />
      <Side result={result} onClose={onClose} />
    </Modal>
  );
}
