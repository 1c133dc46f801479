import { forbiddenKind, isSuspect } from './forbidden-statements.ts';
import type { SqlLexer } from './lexer/lexer.ts';
import { SessionStateUse } from './session-state-use.ts';
import { needsWriteAccess } from './statement-access.ts';
import {
  needsSpelling,
  onlyInTransaction,
  outsideTransactionOnly,
  type StatementForm,
} from './statement-context.ts';
import { EffectDetector, type StatementEffect } from './statement-effect.ts';

/** One part of an account: in quotes, in backquotes, or unquoted. */
const PART = "(?:''|`(?:[^`]|``)*`|[^\\s`'@()]+)";
const DEFINER = `DEFINER=(?:CURRENT_(?:USER|ROLE)\\(\\)|${PART}(?:@${PART})? )`;
const PROGRAM_DEFINITION = new RegExp(
  `^(?:CREATE (?:OR REPLACE )?|ALTER )(?:${DEFINER})?(?:AGGREGATE )?(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\\b`,
);

/** The position of a token in the text. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** Derives the kind of a statement from its tokens. */
export class StatementShape {
  #firstWord: string | undefined;
  /** The statement in one spelling, only if rules for its first word need it. */
  #spelling = '';
  #endsInWord = false;
  #thirdLast = '';
  #secondLast = '';
  #last = '';
  #definesProgram: boolean | undefined;
  #beginsInExecutableComment = false;
  #holdsExecutableComment = false;
  /** The executable comment of the first token, if it is in one. */
  #firstComment: number | undefined;
  #isInOneComment = true;
  #writesFile = false;
  #preparedText: TextSpan | undefined;
  readonly #use = new SessionStateUse();
  readonly #effect = new EffectDetector();

  get isEmpty(): boolean {
    return this.#last === '';
  }

  /** It defines a stored program, whose body may hold `;`. Valid from the first `;` on. */
  get definesProgram(): boolean {
    this.#definesProgram ??= PROGRAM_DEFINITION.test(this.#spelling);
    return this.#definesProgram;
  }

  /** Its forbidden kind. */
  get forbidden(): string | undefined {
    const firstWord = this.#firstWord ?? '';
    const kind = this.#writesFile ? 'INTO OUTFILE' : forbiddenKind(firstWord, this.#spelling);
    if (kind !== undefined || !this.#holdsExecutableComment) return kind;
    // Which parts the server ignores depends on its version.
    if (this.#beginsInExecutableComment && !this.#isInOneComment)
      return 'a statement that begins in an executable comment';
    return isSuspect(firstWord) ? `an executable comment in ${firstWord}` : undefined;
  }

  /** What is allowed only inside a transaction. */
  get onlyInTransaction(): string | undefined {
    return onlyInTransaction(this.#form);
  }

  /** What is allowed only outside a transaction. */
  get outsideTransactionOnly(): string | undefined {
    return outsideTransactionOnly(this.#form);
  }

  /** What needs write access. */
  get needsWriteAccess(): string | undefined {
    return needsWriteAccess(this.#firstWord ?? '', this.#spelling, this.#holdsExecutableComment);
  }

  /** The string that PREPARE or EXECUTE IMMEDIATE runs as a statement. */
  get preparedText(): TextSpan | undefined {
    return this.#preparedText;
  }

  /** It may run code that is not in the text. */
  get mayEndTransaction(): boolean {
    return this.#holdsExecutableComment || this.#firstWord === 'CALL' || this.#firstWord === 'EXECUTE';
  }

  /** What it may leave if it fails. */
  get effect(): StatementEffect {
    return this.#holdsExecutableComment ? 'anything' : this.#effect.effect;
  }

  endsWith(thirdLast: string, secondLast: string, last: string): boolean {
    return this.#last === last && this.#secondLast === secondLast && this.#thirdLast === thirdLast;
  }

  add(text: string, lexer: SqlLexer): void {
    const { kind, start, end, isInExecutableComment, executableCommentStart } = lexer;
    this.#holdsExecutableComment ||= isInExecutableComment;
    if (this.isEmpty) this.#firstComment = executableCommentStart;
    this.#isInOneComment &&= this.#firstComment === executableCommentStart;

    if (this.#firstWord === undefined && text !== '(') {
      this.#firstWord = text;
      this.#beginsInExecutableComment = isInExecutableComment;
    }
    // At any position: the server may read the word before it differently. After a dot it is a name.
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
