/** The cells of a grid under their labels; each can be pressed for its own settings. */
import type { GridRecord } from '../store/state.ts';
import { BlobImage } from './BlobImage.tsx';

interface GridTableProps {
  readonly grid: GridRecord;
  readonly chosen: number | null;
  readonly onChoose: (index: number) => void;
}

function Cell({ grid, index, chosen, onChoose }: GridTableProps & { index: number }) {
  const cell = grid.cells[index];
  const { x, y } = grid;
  const [column, row] = [index % x.labels.length, Math.floor(index / x.labels.length)];
  if (!cell) return <td className="grid-cell" />;
  return (
    <td className="grid-cell" data-chosen={index === chosen}>
      <button type="button" aria-pressed={index === chosen} onClick={() => onChoose(index)}>
        <BlobImage blob={cell.picture} alt={`${x.title} ${x.labels[column]}, ${y.title} ${y.labels[row]}`} />
      </button>
    </td>
  );
}

export function GridTable(props: GridTableProps) {
  const { x, y } = props.grid;
  return (
    <div className="grid-scroll" role="group" aria-label="Grid of pictures" tabIndex={0}>
      <table className="grid-table">
        <thead>
          <tr>
            <td className="grid-corner">
              {y.title} ↓ {x.title} →
            </td>
            {x.labels.map((label) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {y.labels.map((label, row) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {x.labels.map((each, column) => (
                <Cell key={each} {...props} index={row * x.labels.length + column} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
