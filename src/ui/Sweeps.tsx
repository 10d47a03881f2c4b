/** The chosen picture among those that differ from it in one setting alone: the truncation, or the mixing start. */
import { sweepAround, sweptValue, type SweptField } from '../store/sweep.ts';
import type { ResultRecord } from '../store/state.ts';
import { seriesOf } from '../store/truncationSeries.ts';
import { Strip } from './Strip.tsx';
import { useActions, useStudio } from './useStudio.ts';

interface SweepWords {
  readonly label: string;
  readonly shown: (value: number) => string;
  readonly spoken: (value: number) => string;
}

/** The timestep at which so many percent of the sampling are done. */
const timestepOf = (percent: number) => 1000 - 10 * percent;

const words: Readonly<Record<SweptField, SweepWords>> = {
  truncation: {
    label: 'Truncations',
    shown: (value) => `${value}`,
    spoken: (value) => `Truncation ${value}`,
  },
  mixing: {
    label: 'Mixing starts',
    shown: (value) => `${value} % t ${timestepOf(value)}`,
    spoken: (value) => `Mixing from ${value} %, timestep ${timestepOf(value)}`,
  },
};

function Sweep({ chosen, field }: { chosen: ResultRecord; field: SweptField }) {
  const results = useStudio((state) => state.results);
  const { label, shown, spoken } = words[field];
  const cells = sweepAround(results, chosen, field).map((result) => {
    const value = sweptValue(result, field)!;
    return { result, shown: shown(value), spoken: spoken(value) };
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
  const busy = useStudio((state) => state.generation !== null || state.status !== 'ready');
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
