/** A statement as it is sent: its text, or the UTF-8 of that in pieces where it is long. */
export type SqlText = string | readonly Buffer[];

/** Puts together a text of pieces, each a string or UTF-8 that is ready, without making one long string of them. */
export class SqlPieces {
  readonly #pieces: Buffer[] = [];
  #text = '';

  add(piece: string | Buffer): void {
    if (typeof piece !== 'string') {
      this.#endPiece();
      this.#pieces.push(piece);
      return;
    }
    this.#text += piece;
    if (this.#text.length >= PIECE_LENGTH) this.#endPiece();
  }

  /** All of it, once. */
  take(): SqlText {
    if (this.#pieces.length === 0) return this.#text;
    this.#endPiece();
    return this.#pieces;
  }

  #endPiece(): void {
    if (this.#text === '') return;
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** UTF-16 units. */
const PIECE_LENGTH = 65_536;

/** The bytes of a text that has more than `max`. */
export function bytesOver(text: SqlText, max: number): number | undefined {
  if (typeof text === 'string' && 3 * text.length <= max) return undefined;
  const bytes = bytesOf(text);
  return bytes > max ? bytes : undefined;
}

export function bytesOf(text: SqlText): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  return text.reduce((bytes, piece) => bytes + piece.length, 0);
}

export function writeText(text: SqlText, buffer: Buffer, offset: number): void {
  if (typeof text === 'string') {
    buffer.write(text, offset);
    return;
  }
  let at = offset;
  for (const piece of text) at += piece.copy(buffer, at);
}
