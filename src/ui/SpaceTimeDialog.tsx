/** The concept's map, large: look at it, see it come about, brush a part of it and see what that part carries. */
import { Dialog } from '@base-ui/react/dialog';
import { useEffect, useState } from 'react';
import type { ConceptRecord, Focus, ResultRecord, SpaceTimeMap } from '../store/state.ts';
import { pictureOfConcept } from '../store/spaceTimeSlice.ts';
import { FocusPictures, type Outside } from './FocusPictures.tsx';
import { MapFrames } from './MapFrames.tsx';
import { MapLegend } from './MapLegend.tsx';
import type { MapView } from './mapColours.ts';
import { Modal } from './Modal.tsx';
import { PlaceDetails } from './PlaceDetails.tsx';
import { SpaceTimeGrid, type Brush, type Place } from './SpaceTimeGrid.tsx';
import { useSpaceTime } from './useSpaceTime.ts';
import { useActions, useStudio } from './useStudio.ts';

/** The timesteps and layers under a brush: columns stand for the timesteps around their own. */
function focusOf({ timesteps }: SpaceTimeMap, { anchor, end }: Brush, outside: Outside): Focus {
  const half = (timesteps[0]! - timesteps[1]!) / 2;
  const [first, last] = [Math.min(anchor.column, end.column), Math.max(anchor.column, end.column)];
  return {
    fromTimestep: Math.round(timesteps[first]! + half),
    toTimestep: Math.round(timesteps[last]! - half),
    fromLayer: Math.min(anchor.layer, end.layer),
    toLayer: Math.max(anchor.layer, end.layer),
    outside,
  };
}

/** What is brushed, with the picture of it following. */
function useFocus(map: SpaceTimeMap, reference: ResultRecord | null) {
  const actions = useActions();
  const [brush, setBrush] = useState<Brush | null>(null);
  const [focus, setFocus] = useState<Focus | null>(null);
  const [outside, setOutside] = useState<Outside>('frozen');
  const show = (nextBrush: Brush | null, nextOutside: Outside) => {
    setBrush(nextBrush);
    setOutside(nextOutside);
    const next = nextBrush && focusOf(map, nextBrush, nextOutside);
    if (JSON.stringify(next) === JSON.stringify(focus)) return;
    setFocus(next);
    if (next === null) actions().clearFocus();
    else if (reference !== null) actions().showFocus(reference, next);
  };
  useEffect(() => () => actions().clearFocus(), [actions]);
  return {
    brush,
    focus,
    outside,
    onBrush: (next: Brush | null) => show(next, outside),
    onOutside: (next: Outside) => show(brush, next),
  };
}

interface MapStudioProps {
  readonly concept: ConceptRecord;
  readonly map: SpaceTimeMap;
  readonly file: Blob;
  readonly onFile: (file: Blob) => void;
}

function MapStudio({ concept, map, file, onFile }: MapStudioProps) {
  const [reference] = useState(useStudio((state) => pictureOfConcept(state, concept.id)));
  const [view, setView] = useState<MapView>('meaning');
  const [place, setPlace] = useState<Place>({ column: 0, layer: 0 });
  const { brush, focus, outside, onBrush, onOutside } = useFocus(map, reference);
  return (
    <div className="map-studio">
      <div className="map-side">
        <SpaceTimeGrid
          label={`Space-time of ${concept.name}`}
          {...{ map, view, place, brush, onBrush }}
          onPlace={setPlace}
        />
        <MapLegend map={map} view={view} onView={setView} />
        <MapFrames concept={concept} file={file} onFile={onFile} />
      </div>
      <div className="map-side">
        <FocusPictures category={map.category} {...{ reference, focus, outside, onOutside }} />
        <PlaceDetails file={file} map={map} place={place} />
      </div>
    </div>
  );
}

interface SpaceTimeDialogProps {
  readonly concept: ConceptRecord;
  readonly onClose: () => void;
}

export function SpaceTimeDialog({ concept, onClose }: SpaceTimeDialogProps) {
  const [file, setFile] = useState(concept.file);
  const map = useSpaceTime(file, concept.file);
  return (
    <Modal onClose={onClose} className="dialog dialog-map">
      <Dialog.Title className="dialog-title">
        Space-time of <bdi>{concept.name}</bdi>
      </Dialog.Title>
      <Dialog.Description className="quiet">
        A concept is another word in every layer of the model, and at every step from noise to picture.
      </Dialog.Description>
      {map === null ? (
        <p className="quiet">Reading the map…</p>
      ) : (
        <MapStudio concept={concept} map={map} file={file} onFile={setFile} />
      )}
      <div className="dialog-buttons">
        <Dialog.Close className="button button-primary">Close</Dialog.Close>
      </div>
    </Modal>
  );
}
