/** Sentences that quote names of files, concepts and models: each name stands by itself, so that one written from right to left turns nothing around it. */
export function Isolated({ text }: { text: string }) {
  const parts = text.split(/(“[^“”]*”)/);
  return parts.map((part, index) =>
    part.startsWith('“') ? <bdi key={index}>{part}</bdi> : <span key={index}>{part}</span>,
  );
}
