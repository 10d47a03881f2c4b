/** What the map's colours show, and what they mean. */
import type { SpaceTimeMap } from '../store/state.ts';
import { rangeOf, viewNumbers, type MapView } from './mapColours.ts';

interface MapLegendProps {
  readonly map: SpaceTimeMap;
  readonly view: MapView;
  readonly onView: (view: MapView) => void;
}

const percent = (share: number | undefined) => `${Math.round(100 * (share ?? 0))} %`;

function meaning(map: SpaceTimeMap, view: MapView): string {
  const numbers = viewNumbers(map, view);
  if (numbers === null)
    return `Alike colours are alike words. Hue and lightness follow the first two principal components, which hold ${percent(map.shares[0])} and ${percent(map.shares[1])} of the variance.`;
  const [least, most] = rangeOf(numbers).map((value) => value.toFixed(2));
  return view === 'length'
    ? `How strong the word is: its length, from ${least} (pale) to ${most} (deep).`
    : `How far it went from the word “${map.category}”: 1 − cosine, from ${least} (pale) to ${most} (deep).`;
}

export function MapLegend({ map, view, onView }: MapLegendProps) {
  const views: readonly (readonly [MapView, string])[] = [
    ['meaning', 'Meaning'],
    ['length', 'Length'],
    ...(map.distances ? [['distance', `From “${map.category}”`] as const] : []),
  ];
  return (
    <fieldset className="field map-legend">
      <legend className="sr-only">Colours show</legend>
      <div className="segments">
        {views.map(([value, label]) => (
          <label key={value}>
            <input type="radio" name="map-view" checked={view === value} onChange={() => onView(value)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
      <p className="field-hint">{meaning(map, view)}</p>
    </fieldset>
  );
}
