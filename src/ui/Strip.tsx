/** Pictures of one seed in a row that differ in one setting, with what the judge says of them as curves beneath. */
import type { Scores } from '../diffusion/judge.ts';
import type { ResultRecord } from '../store/state.ts';
import { BlobImage } from './BlobImage.tsx';
import { useActions } from './useStudio.ts';

export interface StripCell {
  readonly result: ResultRecord;
  /** The setting as it is shown and as a screen reader says it. */
  readonly shown: string;
  readonly spoken: string;
}

const CURVES = [
  { score: 'likeness', label: 'Likeness' },
  { score: 'prompt', label: 'Fit to the prompt' },
] as const satisfies readonly { score: keyof Scores; label: string }[];

type CurveOf = (typeof CURVES)[number];

/** Said of a cell behind its setting. */
function spokenScores({ scores }: ResultRecord): string {
  if (scores === null) return '';
  const said = CURVES.flatMap(({ score, label }) =>
    scores[score] === null ? [] : [`${label.toLowerCase()} ${scores[score].toFixed(2)}`],
  );
  return said.map((each) => `, ${each}`).join('');
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly chosen: boolean;
}

/** Pixels of the drawing, and of its edge, beyond which dots may reach. */
const HEIGHT = 64;
const EDGE = 4;
/** Across a cell, so that a curve's points lie under the middles of the pictures. */
const CELL = 100;

/** The tenths between which the scores lie: differences of a few hundredths are what a strip is looked at for. */
export function rangeOf(scores: readonly number[]): readonly [lowest: number, highest: number] {
  const lowest = Math.floor(Math.min(...scores) * 10) / 10;
  return [lowest, Math.max(lowest + 0.1, Math.ceil(Math.max(...scores) * 10) / 10)];
}

const scoreOf = ({ result }: StripCell, { score }: CurveOf) => result.scores?.[score] ?? null;

function pointsOf(
  cells: readonly StripCell[],
  chosen: ResultRecord,
  curve: CurveOf,
  [lowest, highest]: readonly [number, number],
): Point[] {
  return cells.flatMap((cell, index) => {
    const value = scoreOf(cell, curve);
    if (value === null) return [];
    const y = EDGE + ((HEIGHT - 2 * EDGE) * (highest - value)) / (highest - lowest);
    return [{ x: (index + 0.5) * CELL, y, chosen: cell.result === chosen }];
  });
}

function Curve({ curve, points }: { curve: CurveOf; points: readonly Point[] }) {
  return (
    <g className={`strip-curve strip-${curve.score}`}>
      <polyline points={points.map(({ x, y }) => `${x},${y}`).join(' ')} />
      {points.map(({ x, y, chosen }) => (
        // A line of no length with round ends is a dot that keeps its shape when the drawing is stretched.
        <path key={x} className="strip-dot" data-chosen={chosen} d={`M${x} ${y}h0`} />
      ))}
    </g>
  );
}

/** Read out with each picture, so drawn alone. */
function ScoreCurves({ cells, chosen }: { cells: readonly StripCell[]; chosen: ResultRecord }) {
  const range = rangeOf(cells.flatMap((cell) => CURVES.flatMap((curve) => scoreOf(cell, curve) ?? [])));
  const curves = CURVES.map((curve) => ({ curve, points: pointsOf(cells, chosen, curve, range) }));
  const drawn = curves.filter(({ points }) => points.length > 1);
  return drawn.length === 0 ? null : (
    <div className="strip-scores" aria-hidden="true">
      <span className="strip-edge">{range[1].toFixed(1)}</span>
      <span className="strip-edge">{range[0].toFixed(1)}</span>
      <svg viewBox={`0 0 ${cells.length * CELL} ${HEIGHT}`} preserveAspectRatio="none">
        {drawn.map(({ curve, points }) => (
          <Curve key={curve.score} curve={curve} points={points} />
        ))}
      </svg>
      <p className="strip-legend">
        {drawn.map(({ curve }) => (
          <span key={curve.score} className={`strip-key strip-${curve.score}`}>
            {curve.label}
            <b>{chosen.scores?.[curve.score]?.toFixed(2)}</b>
          </span>
        ))}
      </p>
    </div>
  );
}

interface StripProps {
  readonly label: string;
  readonly cells: readonly StripCell[];
  readonly chosen: ResultRecord;
}

/** Nothing while there is nothing to compare. */
export function Strip({ label, cells, chosen }: StripProps) {
  const actions = useActions();
  return cells.length < 2 ? null : (
    <div className="strip" role="group" aria-label={label} tabIndex={0}>
      <div className="strip-inside" style={{ minInlineSize: `${cells.length * 48}px` }}>
        <ol className="strip-pictures" aria-label={label}>
          {cells.map(({ result, shown, spoken }) => (
            <li key={result.id} className="gallery-item" data-chosen={result === chosen}>
              {/* Its button names it. */}
              <BlobImage blob={result.picture} alt="" />
              <button
                type="button"
                aria-label={`${spoken}${spokenScores(result)}`}
                aria-pressed={result === chosen}
                onClick={() => actions().chooseResult(result.id)}
              />
              <span className="strip-label" aria-hidden="true">
                {shown}
              </span>
            </li>
          ))}
        </ol>
        <ScoreCurves cells={cells} chosen={chosen} />
      </div>
    </div>
  );
}
