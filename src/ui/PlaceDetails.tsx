/** What is known of one place of the map: the nearest words with their cosines, and its plain numbers. */
import { useEffect, useState } from 'react';
import type { NearWord, SpaceTimeMap } from '../store/state.ts';
import { Details } from './Details.tsx';
import { placeName } from './mapWords.ts';
import type { Place } from './SpaceTimeGrid.tsx';
import { useActions } from './useStudio.ts';

/** A pointer that rests so long wants to know. */
const REST_MS = 120;

function useNearWords(file: Blob, timestep: number, layer: number): readonly NearWord[] {
  const actions = useActions();
  const [near, setNear] = useState<readonly NearWord[]>([]);
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => {
      void actions()
        .readNearWords(file, timestep, layer)
        .then((words) => wanted && setNear(words));
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [file, timestep, layer, actions]);
  return near;
}

function numbersOf({ norms, distances, category }: SpaceTimeMap, index: number): [string, string][] {
  const norm: [string, string] = ['Length (L2 norm)', norms[index]!.toFixed(3)];
  if (distances === null) return [norm];
  return [norm, [`Distance to “${category}” (1 − cosine)`, distances[index]!.toFixed(2)]];
}

interface PlaceDetailsProps {
  readonly file: Blob;
  readonly map: SpaceTimeMap;
  readonly place: Place;
}

export function PlaceDetails({ file, map, place: { column, layer } }: PlaceDetailsProps) {
  const timestep = map.timesteps[column]!;
  const near = useNearWords(file, timestep, layer);
  return (
    <section className="place" aria-label="Place on the map">
      <h3>{placeName(map.sides, timestep, layer)}</h3>
      <p className="sr-only" role="status">
        {near.length > 0 &&
          `Nearest: ${near.map(({ word, cosine }) => `${word} ${cosine.toFixed(2)}`).join(', ')}`}
      </p>
      <ol className="near-words" aria-label="Nearest words">
        {near.map(({ word, cosine }) => (
          <li key={word}>
            <span className="near-bar" style={{ inlineSize: `${100 * Math.max(0, cosine)}%` }} />
            <span className="near-word">{word}</span>
            <span className="near-cosine">{cosine.toFixed(2)}</span>
          </li>
        ))}
      </ol>
      <Details rows={numbersOf(map, column * map.sides.length + layer)} />
    </section>
  );
}
