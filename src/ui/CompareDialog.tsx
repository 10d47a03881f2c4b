/** Two results on one frame, parted by a line that moves by mouse, touch and arrow keys, and what differs in how they were made. */
import { Dialog } from '@base-ui/react/dialog';
import { Slider } from '@base-ui/react/slider';
import { useState } from 'react';
import { recipeDifferences } from '../store/recipe.ts';
import { newestFirst } from '../store/results.ts';
import type { ResultRecord } from '../store/state.ts';
import { BlobImage } from './BlobImage.tsx';
import { Modal } from './Modal.tsx';
import { pictureName } from './resultWords.ts';
import { useStudio } from './useStudio.ts';

interface Pair {
  readonly left: ResultRecord;
  readonly right: ResultRecord;
}

const nameOf = (result: ResultRecord) => pictureName(result, result.truncation);

/** The left picture lies on the right one and ends at the line. */
function Frame({ left, right }: Pair) {
  const [share, setShare] = useState(50);
  return (
    <Slider.Root
      className="compare"
      value={share}
      onValueChange={(next: number) => setShare(next)}
      largeStep={10}
    >
      <Slider.Control className="compare-frame">
        <BlobImage blob={right.picture} alt={nameOf(right)} draggable={false} />
        <BlobImage
          blob={left.picture}
          alt={nameOf(left)}
          draggable={false}
          style={{ clipPath: `inset(0 ${100 - share}% 0 0)` }}
        />
        <Slider.Track className="compare-track">
          <Slider.Thumb
            className="compare-thumb"
            getAriaLabel={() => 'Where the left picture ends'}
            getAriaValueText={(_, value) => `${value} % of the left picture`}
          />
        </Slider.Track>
      </Slider.Control>
    </Slider.Root>
  );
}

function Differences({ left, right }: Pair) {
  const rows = recipeDifferences(left, right);
  return rows.length === 0 ? (
    <p className="quiet">Both were made in the same way.</p>
  ) : (
    <table className="compare-differences">
      <thead className="sr-only">
        <tr>
          <th scope="col">Left</th>
          <th scope="col">Setting</th>
          <th scope="col">Right</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([term, one, other]) => (
          <tr key={term}>
            <td>{one}</td>
            <th scope="row">{term}</th>
            <td>{other}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface ChoiceProps {
  readonly legend: string;
  readonly chosen: ResultRecord;
  readonly onChoose: (id: string) => void;
}

function Choice({ legend, chosen, onChoose }: ChoiceProps) {
  const results = useStudio((state) => state.results);
  return (
    <fieldset className="compare-choice">
      <legend>{legend}</legend>
      <div>
        {newestFirst(results).map((result) => (
          <label key={result.id}>
            <input
              type="radio"
              name={legend}
              className="sr-only"
              checked={result.id === chosen.id}
              onChange={() => onChoose(result.id)}
            />
            <BlobImage blob={result.picture} alt={nameOf(result)} />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface CompareDialogProps extends Pair {
  readonly onClose: () => void;
}

/** Begins with the two that are given. */
export function CompareDialog({ onClose, ...first }: CompareDialogProps) {
  const [ids, setIds] = useState({ left: first.left.id, right: first.right.id });
  const results = useStudio((state) => state.results);
  const find = (id: string, otherwise: ResultRecord) => results.find((each) => each.id === id) ?? otherwise;
  const pair = { left: find(ids.left, first.left), right: find(ids.right, first.right) };
  return (
    <Modal onClose={onClose} className="dialog dialog-compare">
      <Dialog.Title className="sr-only">Compare two pictures</Dialog.Title>
      <Frame {...pair} />
      <div className="compare-side">
        <Differences {...pair} />
        <Choice legend="Left" chosen={pair.left} onChoose={(left) => setIds({ ...ids, left })} />
        <Choice legend="Right" chosen={pair.right} onChoose={(right) => setIds({ ...ids, right })} />
        <div className="dialog-buttons">
          <Dialog.Close className="button button-primary">Close</Dialog.Close>
        </div>
      </div>
    </Modal>
  );
}
