/** The map itself: layers down, timesteps across. One place is told of; a rectangle of them can be brushed, by pointer or keys. */
import { useRef, type KeyboardEvent, type PointerEvent } from 'react';
import type { SpaceTimeMap } from '../store/state.ts';
import { mapColours, type MapView } from './mapColours.ts';
import { layerLabel, placeName } from './mapWords.ts';

export interface Place {
  readonly column: number;
  readonly layer: number;
}

/** Two opposite corners: where it was begun, and where it is by now. */
export interface Brush {
  readonly anchor: Place;
  readonly end: Place;
}

export function isBrushed({ anchor, end }: Brush, { column, layer }: Place): boolean {
  const between = (value: number, a: number, b: number) => value >= Math.min(a, b) && value <= Math.max(a, b);
  return between(column, anchor.column, end.column) && between(layer, anchor.layer, end.layer);
}

export interface SpaceTimeGridProps {
  readonly label: string;
  readonly map: SpaceTimeMap;
  readonly view: MapView;
  readonly place: Place;
  readonly brush: Brush | null;
  readonly onPlace: (place: Place) => void;
  readonly onBrush: (brush: Brush | null) => void;
}

const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value));

const STEPS: Readonly<Record<string, readonly [columns: number, layers: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
  PageUp: [0, -Infinity],
  PageDown: [0, Infinity],
};

/** Arrow keys go from place to place, with Shift they brush; Escape gives the brush up. */
function useKeys({ map, place, brush, onPlace, onBrush }: SpaceTimeGridProps) {
  return (event: KeyboardEvent<HTMLElement>) => {
    if (event.key === 'Escape' && brush !== null) {
      event.stopPropagation();
      return onBrush(null);
    }
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = {
      column: clamp(place.column + step[0], map.timesteps.length - 1),
      layer: clamp(place.layer + step[1], map.sides.length - 1),
    };
    onPlace(next);
    if (event.shiftKey) onBrush({ anchor: brush?.anchor ?? place, end: next });
    const cells = event.currentTarget.querySelectorAll<HTMLElement>('[role=gridcell]');
    cells[next.layer * map.timesteps.length + next.column]?.focus();
  };
}

/** Hovering tells of a place; dragging brushes from where it began. */
function usePointer({ map, onPlace, onBrush }: SpaceTimeGridProps) {
  const anchor = useRef<Place | null>(null);
  const placeAt = (event: PointerEvent<HTMLElement>): Place => {
    const cells = event.currentTarget.querySelectorAll('[role=gridcell]');
    const [first, last] = [
      cells[0]!.getBoundingClientRect(),
      cells[cells.length - 1]!.getBoundingClientRect(),
    ];
    const [columns, layers] = [map.timesteps.length, map.sides.length];
    const across = (event.clientX - first.left) / (last.right - first.left);
    const down = (event.clientY - first.top) / (last.bottom - first.top);
    return {
      column: clamp(Math.floor(across * columns), columns - 1),
      layer: clamp(Math.floor(down * layers), layers - 1),
    };
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      anchor.current = placeAt(event);
      event.currentTarget.setPointerCapture(event.pointerId);
      onPlace(anchor.current);
      onBrush({ anchor: anchor.current, end: anchor.current });
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      const end = placeAt(event);
      onPlace(end);
      if (anchor.current) onBrush({ anchor: anchor.current, end });
    },
    onPointerUp: () => {
      anchor.current = null;
    },
    onPointerCancel: () => {
      anchor.current = null;
    },
  };
}

function Row({
  layer,
  colours,
  ...props
}: SpaceTimeGridProps & { layer: number; colours: readonly string[] }) {
  const { map, place, brush } = props;
  const { sides, timesteps } = map;
  const label = layerLabel(sides, layer);
  const repeated = layer > 0 && layerLabel(sides, layer - 1) === label;
  return (
    <div role="row" className="map-row">
      <span role="rowheader" className="map-layer">
        <span className={repeated ? 'sr-only' : undefined}>{label}</span>
      </span>
      {timesteps.map((timestep, column) => {
        const here = { column, layer };
        const isPlace = place.column === column && place.layer === layer;
        return (
          <span
            key={column}
            role="gridcell"
            className="map-cell"
            tabIndex={isPlace ? 0 : -1}
            aria-label={placeName(sides, timestep, layer)}
            aria-selected={brush !== null && isBrushed(brush, here)}
            data-place={isPlace}
            data-faded={brush !== null && !isBrushed(brush, here)}
            style={{ background: colours[column * sides.length + layer] }}
          />
        );
      })}
    </div>
  );
}

export function SpaceTimeGrid(props: SpaceTimeGridProps) {
  const { label, map, view } = props;
  const colours = mapColours(map, view);
  return (
    <div className="map-frame">
      <div
        role="grid"
        aria-label={label}
        aria-multiselectable="true"
        className="map-grid"
        onKeyDown={useKeys(props)}
        {...usePointer(props)}
      >
        {map.sides.map((_, layer) => (
          <Row key={layer} {...props} layer={layer} colours={colours} />
        ))}
      </div>
      <p className="map-axis" aria-hidden="true">
        <span>noise, t = {map.timesteps[0]}</span>
        <span>picture, t = {map.timesteps.at(-1)}</span>
      </p>
    </div>
  );
}
