/**
 * A file that onnxruntime reads piece by piece. Chromium may collect the stream of a piece while it is waited for, when nothing but the
 * waiting refers to it: the session then never comes. So the stream is held here until the next one.
 */
export class HeldFile extends Blob {
  /** Of the piece that is being read. */
  stretch: ReadableStream | null = null;

  constructor(private readonly file: Blob) {
    super();
  }

  override get size(): number {
    return this.file.size;
  }

  override slice(start?: number, end?: number): Blob {
    const piece = this.file.slice(start, end);
    const stream = piece.stream.bind(piece);
    piece.stream = () => {
      const opened = stream();
      this.stretch = opened;
      return opened;
    };
    return piece;
  }
}
