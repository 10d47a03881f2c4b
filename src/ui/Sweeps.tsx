/** The chosen picture among those that differ from it in one setting alone: the truncation, or the mixing start. */
import { isBusy } from '../store/generation.ts';
import { sweepAround, sweptValue, type SweptField } from '../store/sweep.ts';
import type { ResultRecord, StudioState } from '../store/state.ts';
import { seriesOf } from '../store/truncationSeries.ts';
import { Strip } from './Strip.tsx';
import { useActions, useStudio } from './useStudio.ts';

type Base = StudioState['base'];

interface SweepWords {
  readonly label: string;
  /** @param base null until one is open */
  readonly shown: (value: number, base: Base) => string;
  readonly spoken: (value: number, base: Base) => string;
}

/** The timestep at which so many percent of the sampling are done, behind its name. */
const timestepAt = (name: string, percent: number, base: Base) =>
  base === null ? '' : `${name} ${Math.round(base.timesteps * (1 - percent / 100))}`;

const words: Readonly<Record<SweptField, SweepWords>> = {
  truncation: {
    label: 'Truncations',
    shown: (value) => `${value}`,
    spoken: (value) => `Truncation ${value}`,
  },
  mixing: {
    label: 'Mixing starts',
    shown: (value, base) => `${value} %${timestepAt(' t', value, base)}`,
    spoken: (value, base) => `Mixing from ${value} %${timestepAt(', timestep', value, base)}`,
  },
};

function Sweep({ chosen, field }: { chosen: ResultRecord; field: SweptField }) {
  const results = useStudio((state) => state.results);
  const base = useStudio((state) => state.base);
  const { label, shown, spoken } = words[field];
  const cells = sweepAround(results, chosen, field).map((result) => {
    const value = sweptValue(result, field)!;
    return { result, shown: shown(value, base), spoken: spoken(value, base) };
  });
  return <Strip label={label} cells={cells} chosen={chosen} />;
}

export function Sweeps({ chosen }: { chosen: ResultRecord }) {
  return (
    <>
      <Sweep chosen={chosen} field="truncation" />
      <Sweep chosen={chosen} field="mixing" />
    </>
  );
}

/** Draws the whole range of the truncation slider, where there is one. */
export function SweepTruncation() {
  const actions = useActions();
  const possible = useStudio((state) => seriesOf(state, state.chosenResultId) !== null);
  const busy = useStudio(isBusy);
  return !possible ? null : (
    <button
      type="button"
      className="link-button truncation-sweep"
      disabled={busy}
      onClick={() => void actions().sweepTruncation()}
    >
      Draw the whole range
    </button>
  );
}
