/** What the page shows only when it is asked for, in one file of its own (Later.tsx). */
export { CompareDialog } from './CompareDialog.tsx';
export { CropDialog } from './CropDialog.tsx';
export { EnlargeDialog } from './EnlargeDialog.tsx';
export { GridDialog } from './GridDialog.tsx';
export { LabelDialog } from './LabelDialog.tsx';
export { LossChart } from './LossChart.tsx';
export { ModelDialog } from './ModelDialog.tsx';
export { SpaceTimeDialog } from './SpaceTimeDialog.tsx';
