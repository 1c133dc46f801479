import { forbiddenKind, isSuspect } from './forbidden-statements.ts';
import type { SqlLexer } from './lexer/lexer.ts';
import { SessionUse } from './session-state-use.ts';
import { needsWriteAccess } from './statement-access.ts';
import {
  needsSpelling,
  onlyInTransaction,
  outsideTransactionOnly,
  type StatementForm,
} from './statement-context.ts';
import { EffectWatch, type StatementEffect } from './statement-effect.ts';

/** One part of an account: in quotes, in backquotes, or without. */
const PART = "(?:''|`(?:[^`]|``)*`|[^\\s`'@()]+)";
const DEFINER = `DEFINER=(?:CURRENT_(?:USER|ROLE)\\(\\)|${PART}(?:@${PART})? )`;
const PROGRAM_DEFINITION = new RegExp(
  `^(?:CREATE (?:OR REPLACE )?|ALTER )(?:${DEFINER})?(?:AGGREGATE )?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\\b`,
);

/** Where a token stands in the text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** What the tokens of a statement, added in order, tell about its kind. */
export class StatementShape {
  #firstWord: string | undefined;
  /** The statement in one spelling, kept only where its first word asks for a closer look. */
  #spelling = '';
  #endsInWord = false;
  #thirdLast = '';
  #secondLast = '';
  #last = '';
  #definesProgram: boolean | undefined;
  #beginsInExecutableComment = false;
  #holdsExecutableComment = false;
  /** Where the first token stands: in which executable comment, if in one. */
  #firstPlace: number | undefined;
  #isInOnePlace = true;
  #writesFile = false;
  #preparedText: TextSpan | undefined;
  readonly #use = new SessionUse();
  readonly #effect = new EffectWatch();

  get isEmpty(): boolean {
    return this.#last === '';
  }

  /** The statement defines a stored program, whose body may hold `;`. Ask at the first `;` or later. */
  get definesProgram(): boolean {
    this.#definesProgram ??= PROGRAM_DEFINITION.test(this.#spelling);
    return this.#definesProgram;
  }

  /** Which never-allowed kind of statement it is. */
  get forbidden(): string | undefined {
    const firstWord = this.#firstWord ?? '';
    const kind = this.#writesFile ? 'INTO OUTFILE' : forbiddenKind(firstWord, this.#spelling);
    if (kind !== undefined || !this.#holdsExecutableComment) return kind;
    // What the server leaves out, and so what remains, depends on its version.
    if (this.#beginsInExecutableComment && !this.#isInOnePlace)
      return 'a statement that begins in an executable comment';
    return isSuspect(firstWord) ? `an executable comment in ${firstWord}` : undefined;
  }

  /** What about it is allowed only inside a transaction. */
  get onlyInTransaction(): string | undefined {
    return onlyInTransaction(this.#form);
  }

  /** Why it is allowed only outside a transaction. */
  get outsideTransactionOnly(): string | undefined {
    return outsideTransactionOnly(this.#form);
  }

  /** What about it is only for callers who may write. */
  get needsWriteAccess(): string | undefined {
    return needsWriteAccess(this.#firstWord ?? '', this.#spelling, this.#holdsExecutableComment);
  }

  /** The string whose text a PREPARE or EXECUTE IMMEDIATE makes a statement. */
  get preparedText(): TextSpan | undefined {
    return this.#preparedText;
  }

  /** It may run what cannot be read here. */
  get mayEndTransaction(): boolean {
    return this.#holdsExecutableComment || this.#firstWord === 'CALL' || this.#firstWord === 'EXECUTE';
  }

  /** What may be left of it if it fails. */
  get effect(): StatementEffect {
    return this.#holdsExecutableComment ? 'anything' : this.#effect.effect;
  }

  endsWith(thirdLast: string, secondLast: string, last: string): boolean {
    return this.#last === last && this.#secondLast === secondLast && this.#thirdLast === thirdLast;
  }

  add(text: string, lexer: SqlLexer): void {
    const { kind, start, end, isInExecutableComment, executableCommentStart } = lexer;
    this.#holdsExecutableComment ||= isInExecutableComment;
    if (this.isEmpty) this.#firstPlace = executableCommentStart;
    this.#isInOnePlace &&= this.#firstPlace === executableCommentStart;

    if (this.#firstWord === undefined && text !== '(') {
      this.#firstWord = text;
      this.#beginsInExecutableComment = isInExecutableComment;
    }
    // Wherever it stands: what comes before it may be another word for the server. Behind a dot it is a name.
    if (kind === 'word' && (text === 'OUTFILE' || text === 'DUMPFILE'))
      this.#writesFile ||= this.#last !== '.';
    if (kind === 'string' && this.#awaitsPreparedText) this.#preparedText ??= { start, end };
    this.#use.add(text, lexer);
    this.#effect.add(text, (kind === 'placeholder' ? lexer.text : text).startsWith(':'));
    this.#spell(text, kind !== 'symbol' && kind !== 'placeholder');
    this.#thirdLast = this.#secondLast;
    this.#secondLast = this.#last;
    this.#last = text;
  }

  get #form(): StatementForm {
    return {
      firstWord: this.#firstWord ?? '',
      spelling: this.#spelling,
      holdsExecutableComment: this.#holdsExecutableComment,
      use: this.#use,
    };
  }

  get #awaitsPreparedText(): boolean {
    if (this.#firstWord === 'PREPARE') return this.#last === 'FROM';
    return this.#firstWord === 'EXECUTE' && this.#last === 'IMMEDIATE';
  }

  #spell(text: string, isWord: boolean): void {
    const firstWord = this.#firstWord;
    if (firstWord === undefined) return;
    if (!isSuspect(firstWord) && !needsSpelling(firstWord)) return;
    this.#spelling += this.#endsInWord && isWord ? ` ${text}` : text;
    this.#endsInWord = isWord;
  }
}
