/** The page's few icons: 20 px strokes in the colour of the text beside them; always decorative. */
const PATHS = {
  add: 'M10 4v12M4 10h12',
  close: 'M5 5l10 10M15 5L5 15',
  crop: 'M6 2v12h12M2 6h12v12',
  more: 'M4 10h.01M10 10h.01M16 10h.01',
  down: 'M10 3v10M5.5 9L10 13.5 14.5 9M4 17h12',
  up: 'M10 14V4M5.5 8.5L10 4l4.5 4.5M4 17h12',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6',
  enlarge: 'M12 4h4v4M16 4l-5 5M8 16H4v-4M4 16l5-5',
  compare: 'M10 3v14M6.5 6.5L3 10l3.5 3.5M13.5 6.5L17 10l-3.5 3.5',
  grid: 'M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 11h5v5h-5z',
  keep: 'M6 3h8v14l-4-3.5L6 17z',
  lock: 'M5 9h10v8H5zM7 9V6.5a3 3 0 016 0V9',
  chip: 'M6 6h8v8H6zM8 3v3M12 3v3M8 14v3M12 14v3M3 8h3M3 12h3M14 8h3M14 12h3',
  warn: 'M10 3l7.5 13.5h-15zM10 8v4M10 14.2v.1',
  back: 'M12 4l-6 6 6 6',
  next: 'M8 4l6 6-6 6',
  again: 'M4 10a6 6 0 1 1 2 4.5M4 16v-3.5h3.5',
  model: 'M10 2.5l7 3.8-7 3.8-7-3.8zM3 10.2l7 3.8 7-3.8M3 14l7 3.8 7-3.8',
  check: 'M4 10.5l4 4 8-9',
  question: 'M7 7.5a3 3 0 1 1 4.2 2.8c-.9.4-1.2 1-1.2 2M10 15.4v.1',
  chevron: 'M5 8l5 5 5-5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
