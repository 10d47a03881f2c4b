/** Dialogs and the chart, fetched once the model is open, or when one is first shown: the page stands before they are there. */
import { lazy, Suspense, type ComponentType } from 'react';
import type * as laterParts from './laterParts.ts';

type Parts = typeof laterParts;

const parts = () => import('./laterParts.ts');

/** Fetches them now, so that a dialog opens at once, and opens although the connection is gone by then. */
export const fetchLaterParts = (): Promise<unknown> => parts().catch(() => null);

/** Without a connection, or after the files of this version are gone. */
const Missing = () => (
  <p className="problems" role="alert">
    This part of the page could not be fetched. Check the connection and reload the page; nothing is lost.
  </p>
);

function later<Props extends object>(choose: (found: Parts) => ComponentType<Props>) {
  const Part = lazy(() =>
    parts().then(
      (found) => ({ default: choose(found) }),
      (): { default: ComponentType<Props> } => ({ default: Missing }),
    ),
  );
  return (props: Props) => (
    <Suspense fallback={null}>
      <Part {...props} />
    </Suspense>
  );
}

export const CompareDialog = later((found) => found.CompareDialog);
export const CropDialog = later((found) => found.CropDialog);
export const EnlargeDialog = later((found) => found.EnlargeDialog);
export const GridDialog = later((found) => found.GridDialog);
export const LabelDialog = later((found) => found.LabelDialog);
export const LossChart = later((found) => found.LossChart);
export const ModelDialog = later((found) => found.ModelDialog);
export const SpaceTimeDialog = later((found) => found.SpaceTimeDialog);
