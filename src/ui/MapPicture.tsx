/** A concept's map as a small picture: a fingerprint of what was learned. */
import { useEffect, useRef } from 'react';
import type { SpaceTimeMap } from '../store/state.ts';
import { mapColours } from './mapColours.ts';

export function MapPicture({ map }: { map: SpaceTimeMap }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [columns, rows] = [map.timesteps.length, map.sides.length];
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    mapColours(map, 'meaning').forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect(Math.floor(i / rows), i % rows, 1, 1);
    });
  }, [map, rows]);
  return <canvas ref={canvas} className="map-picture" width={columns} height={rows} aria-hidden="true" />;
}
