import { forbiddenKind, isSuspect } from './forbidden-statements.ts';
import type { SqlLexer } from './sql-lexer.ts';

const PROGRAM_DEFINITION =
  /^(?:CREATE (?:OR REPLACE )?|ALTER )(?:DEFINER=(?:\S+ |CURRENT_(?:USER|ROLE)\(\)))?(?:AGGREGATE )?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\b/;

/** What the tokens of a statement, added in order, tell about its kind. */
export class StatementShape {
  #firstWord: string | undefined;
  /** The statement in one spelling, kept only where its first word asks for a closer look. */
  #spelling = '';
  #endsInWord = false;
  #last = ['', '', ''];
  #beginsInExecutableComment = false;
  #holdsExecutableComment = false;
  #continuesOutside = false;
  #writesFile = false;

  get isEmpty(): boolean {
    return this.#last[2] === '';
  }

  /** The statement defines a stored program, whose body may hold `;`. */
  get definesProgram(): boolean {
    return PROGRAM_DEFINITION.test(this.#spelling);
  }

  /** Which never-allowed kind of statement it is. */
  get forbidden(): string | undefined {
    const firstWord = this.#firstWord ?? '';
    const kind = this.#writesFile ? 'INTO OUTFILE' : forbiddenKind(firstWord, this.#spelling);
    if (kind !== undefined || !this.#holdsExecutableComment) return kind;
    // What the server leaves out, and so what remains, depends on its version.
    if (this.#beginsInExecutableComment && this.#continuesOutside)
      return 'a statement that begins in an executable comment';
    return isSuspect(firstWord) ? `an executable comment in ${firstWord}` : undefined;
  }

  endsWith(...texts: readonly [string, string, string]): boolean {
    return texts.every((text, index) => text === this.#last[index]);
  }

  add(text: string, { kind, isInExecutableComment }: SqlLexer): void {
    if (isInExecutableComment) this.#holdsExecutableComment = true;
    else this.#continuesOutside = true;

    if (this.#firstWord === undefined && text !== '(') {
      this.#firstWord = text;
      this.#beginsInExecutableComment = isInExecutableComment;
    }
    if (kind === 'word' && (text === 'OUTFILE' || text === 'DUMPFILE')) {
      this.#writesFile ||= this.#last[2] === 'INTO' || this.#holdsExecutableComment;
    }
    this.#spell(text, kind === 'word' || kind === 'name' || kind === 'string');
    this.#last = [this.#last[1] ?? '', this.#last[2] ?? '', text];
  }

  #spell(text: string, isWord: boolean): void {
    const firstWord = this.#firstWord;
    if (firstWord === undefined) return;
    if (!isSuspect(firstWord) && firstWord !== 'CREATE' && firstWord !== 'ALTER') return;
    this.#spelling += this.#endsInWord && isWord ? ` ${text}` : text;
    this.#endsInWord = isWord;
  }
}
