/** How the map came about: one frame for each preview of the training, played or gone through by hand. */
import { useEffect, useState } from 'react';
import type { ConceptRecord } from '../store/state.ts';
import { LabelledSlider } from './LabelledSlider.tsx';

const FRAME_MS = 400;

interface MapFramesProps {
  readonly concept: ConceptRecord;
  readonly file: Blob;
  readonly onFile: (file: Blob) => void;
}

interface MapFrame {
  readonly step: number;
  readonly file: Blob;
}

/** The previews and the concept itself, by rising steps. */
function framesOf({ previews, step, file }: ConceptRecord): MapFrame[] {
  return [...previews.filter((each) => each.step !== step), { step, file }].sort((a, b) => a.step - b.step);
}

export function MapFrames({ concept, file, onFile }: MapFramesProps) {
  const frames = framesOf(concept);
  const index = Math.max(
    0,
    frames.findIndex((each) => each.file === file),
  );
  const [playing, setPlaying] = useState(false);
  const next = playing ? frames[index + 1] : undefined;
  useEffect(() => {
    if (next === undefined) return;
    const timer = setTimeout(() => onFile(next.file), FRAME_MS);
    return () => clearTimeout(timer);
  }, [next, onFile]);
  if (frames.length < 2) return null;
  const play = () => {
    setPlaying(next === undefined);
    if (next === undefined && index === frames.length - 1) onFile(frames[0]!.file);
  };
  return (
    <div className="map-frames">
      <button type="button" className="button" onClick={play}>
        {next === undefined ? 'Play training' : 'Pause'}
      </button>
      <LabelledSlider
        className="map-steps"
        label="Training step"
        min={0}
        max={frames.length - 1}
        value={index}
        shown={`${frames[index]!.step}`}
        onValue={(value) => {
          setPlaying(false);
          onFile(frames[value]!.file);
        }}
        spoken={(value) => `Step ${frames[value]!.step}`}
        words={() => ''}
      />
    </div>
  );
}
