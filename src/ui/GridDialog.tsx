/** A grid of pictures over any two settings: asked for, drawn while one watches, looked into, saved as one picture. */
import { Dialog } from '@base-ui/react/dialog';
import { useState } from 'react';
import { isBusy } from '../store/generation.ts';
import { recipeDetails } from '../store/recipe.ts';
import type { GridRecord, ResultRecord } from '../store/state.ts';
import { BlobImage } from './BlobImage.tsx';
import { download } from './blobUrl.ts';
import { Details } from './Details.tsx';
import { GridAxis } from './GridAxis.tsx';
import { gridPicture } from './gridPicture.ts';
import { GridTable } from './GridTable.tsx';
import { Making } from './Making.tsx';
import { Modal } from './Modal.tsx';
import { Problems } from './Problems.tsx';
import { pictureName } from './resultWords.ts';
import { useActions, useStudio } from './useStudio.ts';

function CellDetails({ cell, index }: { cell: ResultRecord; index: number }) {
  const actions = useActions();
  const kept = useStudio((state) => state.results.some(({ id }) => id === cell.id));
  return (
    <section className="grid-details" aria-label="The picture’s settings">
      <BlobImage blob={cell.picture} alt={pictureName(cell, cell.truncation)} />
      <p>{cell.prompt}</p>
      <Details rows={recipeDetails(cell)} />
      <button
        type="button"
        className="button"
        disabled={kept}
        onClick={() => void actions().keepGridCell(index)}
      >
        {kept ? 'Kept among the results' : 'Keep among the results'}
      </button>
    </section>
  );
}

function DrawnGrid({ grid }: { grid: GridRecord }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const cell = chosen === null ? null : grid.cells[chosen];
  return (
    <div className="grid-drawn">
      <GridTable grid={grid} chosen={chosen} onChoose={setChosen} />
      {cell && <CellDetails cell={cell} index={chosen!} />}
    </div>
  );
}

function GridButtons({ grid }: { grid: GridRecord | null }) {
  const actions = useActions();
  const busy = useStudio(isBusy);
  const drawn = grid?.cells.filter((cell) => cell !== null).length ?? 0;
  const save = async () => {
    if (grid) download(await gridPicture(grid, actions().gridText()), 'grid.png');
  };
  return (
    <div className="dialog-buttons">
      <span className="quiet grid-count">{grid && `${drawn} of ${grid.cells.length} pictures`}</span>
      <button type="button" className="button" disabled={drawn === 0} onClick={() => void save()}>
        Save as one picture
      </button>
      <button
        type="button"
        className="button button-primary"
        disabled={busy}
        onClick={() => void actions().drawGrid()}
      >
        Draw grid
      </button>
      <Dialog.Close className="button">Close</Dialog.Close>
    </div>
  );
}

export function GridDialog({ onClose }: { onClose: () => void }) {
  const grid = useStudio((state) => state.grid);
  return (
    <Modal onClose={onClose} className="dialog dialog-grid">
      <Dialog.Title className="dialog-title">Grid</Dialog.Title>
      <Dialog.Description className="quiet">
        Everything else is as in Create. What is drawn already is not drawn again.
      </Dialog.Description>
      <div className="grid-axes">
        <GridAxis slot="gridX" label="Across" />
        <GridAxis slot="gridY" label="Down" />
      </div>
      <Problems place="create" />
      <Making />
      {grid && <DrawnGrid grid={grid} />}
      <GridButtons grid={grid} />
    </Modal>
  );
}
