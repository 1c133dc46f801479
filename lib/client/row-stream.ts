import type { Outcome } from '../errors.ts';
import { fromFailureBody } from '../protocol/failure.ts';
import { StreamLine } from '../protocol/stream.ts';
import { withOutcome } from './results.ts';
import { type RowOptions, rowDecoder } from './rows.ts';
import { type BrokerReply, readFailure, unusableReply } from './transport/broker-reply.ts';
import { linesOf } from './transport/ndjson-lines.ts';
import { ReadingSigns } from './transport/reading-signs.ts';
import { brokenOff, guardedChunks, type StallOptions } from './transport/stall-guard.ts';

/**
 * @param outcome of the statement, which is stopped if its rows do not fit the options.
 * @throws {BrokerError} the failure in the reply. While it is read: see {@link guardedChunks}, {@link readLines}.
 */
export function streamedRows<Row extends object>(
  reply: BrokerReply,
  options: RowOptions,
  stall: StallOptions,
  outcome: Outcome,
): AsyncGenerator<Row, void, undefined> {
  if (reply.stream === undefined) throw readFailure(reply) ?? unusableReply(reply.status, reply.requestId);
  const signs = new ReadingSigns(reply.stream);
  return readLines<Row>(linesOf(guardedChunks(reply.stream, stall)), options, signs, outcome);
}

/** @throws {BrokerError} the failure that ends the rows; `BROKER_UNREACHABLE` if they have no end. */
async function* readLines<Row extends object>(
  lines: AsyncIterable<string>,
  options: RowOptions,
  signs: ReadingSigns,
  outcome: Outcome,
): AsyncGenerator<Row, void, undefined> {
  let decode = rowDecoder<Row>([], options);
  let hasEnded = false;
  for await (const text of lines) {
    const line = parseLine(text);
    if ('error' in line) throw fromFailureBody(line);
    // Read on: a connection can be reused only if it was read to its end.
    if ('end' in line) hasEnded = true;
    else if ('columns' in line) {
      const { columns } = line;
      decode = withOutcome(outcome, () => rowDecoder<Row>(columns, options));
    } else {
      const { rows } = line;
      for (const row of withOutcome(outcome, () => decode(rows))) {
        yield row;
        signs.noteRow();
      }
    }
  }
  if (!hasEnded) throw brokenOff();
}

function parseLine(text: string): StreamLine {
  try {
    return StreamLine.parse(JSON.parse(text));
  } catch (cause) {
    throw brokenOff(cause);
  }
}
