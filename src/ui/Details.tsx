/** Terms and their values, one a line. */
interface DetailsProps {
  readonly rows: readonly (readonly [term: string, value: string | number])[];
}

export function Details({ rows }: DetailsProps) {
  return (
    <dl className="details">
      {rows.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
