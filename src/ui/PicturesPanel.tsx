/** Step 1: the concept's pictures, by choosing, dropping or pasting; each with how the model sees it. */
import { useState, type ReactNode } from 'react';
import { plainName } from '../lib/plainName.ts';
import { POOR_PSNR, roomLeft } from '../store/picturesSlice.ts';
import type { PictureItem } from '../store/state.ts';
import { CropDialog } from './Later.tsx';
import { Icon } from './icons.tsx';
import { Problems } from './Problems.tsx';
import { Samples } from './Samples.tsx';
import { useActions, useStudio } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';

const isPoor = ({ seen }: PictureItem) => seen !== null && seen.psnr < POOR_PSNR;

function Seen({ picture }: { picture: PictureItem }) {
  if (picture.seen === null) return <span className="seen seen-waiting" aria-hidden="true" />;
  const { psnr } = picture.seen;
  return (
    <BlobImage
      className="seen"
      blob={picture.seen.picture}
      alt={`How the model sees ${picture.fileName}`}
      title={`How the model sees it (${psnr.toFixed(1)} dB)`}
    />
  );
}

function Tile({ picture, onCrop }: { picture: PictureItem; onCrop: () => void }) {
  const actions = useActions();
  const { id, fileName } = picture;
  return (
    <li className="tile" data-poor={isPoor(picture)}>
      <BlobImage className="tile-picture" blob={picture.square} alt={fileName} />
      <Seen picture={picture} />
      {isPoor(picture) && (
        <span className="tile-warning" title="The model sees this one poorly">
          <Icon name="warn" />
          <span className="sr-only">The model sees this one poorly</span>
        </span>
      )}
      <span className="tile-actions">
        <button type="button" className="icon-button" aria-label={`Crop ${fileName}`} onClick={onCrop}>
          <Icon name="crop" />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label={`Remove ${fileName}`}
          onClick={() => actions().removePicture(id)}
        >
          <Icon name="close" />
        </button>
      </span>
    </li>
  );
}

function Empty({ choose }: { choose: () => void }) {
  return (
    <div className="drop-empty">
      <svg className="drop-art" viewBox="0 0 96 64" aria-hidden="true">
        <rect x="6" y="14" width="36" height="36" rx="6" transform="rotate(-8 24 32)" />
        <rect x="54" y="14" width="36" height="36" rx="6" transform="rotate(8 72 32)" />
        <rect x="29" y="8" width="38" height="38" rx="6" className="drop-art-front" />
        <path d="M48 20v14M41 27h14" />
      </svg>
      <p className="drop-lead">Drop a few pictures of one thing</p>
      <p className="quiet">or paste them. Three to five are enough.</p>
      <button type="button" className="button" onClick={choose}>
        Choose pictures
      </button>
    </div>
  );
}

function Ground() {
  const actions = useActions();
  const ground = useStudio((state) => state.ground);
  const shown = useStudio((state) => state.pictures.some((each) => each.transparent));
  return !shown ? null : (
    <label className="ground">
      <input type="color" value={ground} onChange={(event) => void actions().setGround(event.target.value)} />
      Ground under see-through parts
    </label>
  );
}

/** Pictures that carry a concept, as AUTOMATIC1111 shares them. */
function Cards() {
  const actions = useActions();
  const cards = useStudio((state) => state.offeredCards);
  return cards.map((card, index) => (
    <div className="problem problem-note" key={`${index} ${card.name}`}>
      <p>
        “<bdi>{plainName(card.name)}</bdi>” carries a concept.
      </p>
      <button type="button" className="button" onClick={() => void actions().answerCard(card, 'concept')}>
        Import the concept
      </button>
      <button type="button" className="button" onClick={() => void actions().answerCard(card, 'picture')}>
        Use as a picture
      </button>
    </div>
  ));
}

function Legend() {
  const poor = useStudio((state) => state.pictures.filter(isPoor).length);
  if (poor === 0) return <p className="quiet legend">The small picture is how the model sees it.</p>;
  return (
    <p className="legend legend-poor">
      <Icon name="warn" />
      The model sees {poor === 1 ? 'one picture' : `${poor} pictures`} poorly. Its world is small: a simple,
      large, centred thing works best. Crop closer, or try another picture.
    </p>
  );
}

function Grid({ choose }: { choose: () => void }) {
  const pictures = useStudio((state) => state.pictures);
  const hasRoom = useStudio((state) => roomLeft(state) > 0);
  const actions = useActions();
  const [cropping, setCropping] = useState<string | null>(null);
  const cropped = pictures.find((each) => each.id === cropping);
  return (
    <>
      <ul className="tiles" aria-label="Pictures of the concept">
        {pictures.map((picture) => (
          <Tile key={picture.id} picture={picture} onCrop={() => setCropping(picture.id)} />
        ))}
        {hasRoom && (
          <li>
            <button type="button" className="tile-add" onClick={choose}>
              <Icon name="add" />
              Add
            </button>
          </li>
        )}
      </ul>
      <Legend />
      <Ground />
      <button type="button" className="link-button" onClick={() => actions().clearPictures()}>
        Remove all
      </button>
      {cropped && <CropDialog key={cropped.id} picture={cropped} onClose={() => setCropping(null)} />}
    </>
  );
}

interface PicturesPanelProps {
  readonly choose: () => void;
  readonly dragging: boolean;
  /** The file input. */
  readonly children: ReactNode;
}

export function PicturesPanel({ choose, dragging, children }: PicturesPanelProps) {
  const empty = useStudio((state) => state.pictures.length === 0);
  const adding = useStudio((state) => state.waiting.length > 0);
  return (
    <section className="panel" aria-labelledby="pictures-heading" data-dragging={dragging}>
      <h2 id="pictures-heading">
        <span className="step">1</span> Pictures
      </h2>
      <div className="sr-only">{children}</div>
      {empty ? <Empty choose={choose} /> : <Grid choose={choose} />}
      {adding && <p className="quiet">Reading pictures…</p>}
      <Problems place="pictures" />
      <Cards />
      {empty && <Samples />}
    </section>
  );
}
