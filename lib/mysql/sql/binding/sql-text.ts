/** A statement as it is sent: its text, or pieces of UTF-8 if it is long. */
export type SqlText = string | readonly Buffer[];

/** Joins strings and UTF-8 pieces to a text, without one long string. */
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

  /** Returns the text. Call it once. */
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

/** In UTF-16 units. */
const PIECE_LENGTH = 65_536;

/** The bytes of the text if they are more than `max`; else undefined. */
export function bytesOver(text: SqlText, max: number): number | undefined {
  if (typeof text === 'string' && 3 * text.length <= max) return undefined;
  const bytes = bytesOf(text);
  return bytes > max ? bytes : undefined;
}

export function bytesOf(text: SqlText): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  return text.reduce((bytes, piece) => bytes + piece.length, 0);
}

/** The texts with something between each two. */
export function joinTexts(texts: readonly SqlText[], separator: string): SqlText {
  const pieces = new SqlPieces();
  for (const [index, text] of texts.entries()) {
    if (index > 0) pieces.add(separator);
    if (typeof text === 'string') pieces.add(text);
    else for (const piece of text) pieces.add(piece);
  }
  return pieces.take();
}

export function writeText(text: SqlText, buffer: Buffer, offset: number): void {
  if (typeof text === 'string') {
    buffer.write(text, offset);
    return;
  }
  let at = offset;
  for (const piece of text) at += piece.copy(buffer, at);
}
