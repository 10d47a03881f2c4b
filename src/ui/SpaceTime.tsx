/** The map of what was learned so far, small; a taught concept's opens large. */
import { useState } from 'react';
import type { ConceptRecord, PreviewRecord } from '../store/state.ts';
import { MapPicture } from './MapPicture.tsx';
import { SpaceTimeDialog } from './Later.tsx';
import { useSpaceTime } from './useSpaceTime.ts';

const HINT = 'its word by layer and step';

function Heading() {
  return (
    <h3>
      Space-time<span className="quiet"> {HINT}</span>
    </h3>
  );
}

/** Of the newest preview, while it is learned. */
export function GrowingSpaceTime({ preview }: { preview: PreviewRecord }) {
  const map = useSpaceTime(preview.file, preview.file);
  return map === null ? null : (
    <div className="space-time">
      <Heading />
      <MapPicture map={map} />
    </div>
  );
}

export function SpaceTime({ concept }: { concept: ConceptRecord }) {
  const [opened, setOpened] = useState(false);
  const map = useSpaceTime(concept.file, concept.file);
  return map === null ? null : (
    <div className="space-time">
      <Heading />
      <button type="button" className="space-time-open" onClick={() => setOpened(true)}>
        <MapPicture map={map} />
        <span className="space-time-label">Open the map</span>
      </button>
      {opened && <SpaceTimeDialog concept={concept} onClose={() => setOpened(false)} />}
    </div>
  );
}
