import type { StatementResult } from '../result/result-collector.ts';
import type { SingleResultStatement } from '../result/result-sequence.ts';
import type { BoundStatement } from '../sql/binding/bind.ts';
import { bytesOf, type SqlText } from '../sql/binding/sql-text.ts';
import { COMMAND } from './own-commands.ts';

/** One statement of several that are sent at once, and what takes its result. */
export interface SequenceStep extends Pick<SingleResultStatement, 'limits'> {
  readonly bound: BoundStatement;
  /** @throws {BrokerError} The transaction is not to go on. */
  readonly onResult: (result: StatementResult) => void;
}

/** What is sent for them, after what begins their transaction. Each text is made when its turn comes. */
export function* sequenceOf(
  opening: readonly string[],
  steps: readonly SequenceStep[],
  onBegun: () => void,
): Generator<SingleResultStatement> {
  for (const [index, text] of opening.entries()) {
    const isLast = index === opening.length - 1;
    yield { text, limits: () => COMMAND.limits, ...(isLast && { onResult: onBegun }) };
  }
  for (const step of steps) {
    const { bound, onResult } = step;
    const { text, rowCounts, readsLastStatement } = bound;
    yield { text, rowCounts, readsLastStatement, limits: () => step.limits(), onResult };
  }
}

/** Of a command of several statements, in UTF-16 units: a longer one is put together while other calls wait. */
const MAX_COMMAND_LENGTH = 262_144;

/** Splits what would make too long a command. */
export function* commandsOf(
  statements: Iterable<SingleResultStatement>,
): Generator<readonly SingleResultStatement[]> {
  let command: SingleResultStatement[] = [];
  let length = 0;
  for (const statement of statements) {
    const added = lengthOf(statement.text);
    if (length + added > MAX_COMMAND_LENGTH && command.length > 0 && statement.readsLastStatement !== true) {
      yield command;
      command = [];
      length = 0;
    }
    command.push(statement);
    length += added;
  }
  yield command;
}

function lengthOf(text: SqlText): number {
  return typeof text === 'string' ? text.length : bytesOf(text);
}
