/** A concept file's map, as it comes. */
import { useEffect, useState } from 'react';
import type { SpaceTimeMap } from '../store/state.ts';
import { useActions, useStudio } from './useStudio.ts';

/** The last map that could be had, for as long as another is on its way; null before the first. */
export function useSpaceTime(file: Blob, axesOf: Blob): SpaceTimeMap | null {
  const actions = useActions();
  const ready = useStudio((state) => state.status === 'ready');
  const [map, setMap] = useState<SpaceTimeMap | null>(null);
  useEffect(() => {
    let wanted = ready;
    if (ready)
      void actions()
        .readSpaceTime(file, axesOf)
        .then((read) => wanted && read !== null && setMap(read));
    return () => {
      wanted = false;
    };
  }, [file, axesOf, ready, actions]);
  return map;
}
