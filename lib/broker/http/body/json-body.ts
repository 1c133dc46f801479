import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { inTurns } from '../../../async/turns.ts';
import { BrokerError } from '../../../errors.ts';
import type { Call } from '../call.ts';
import { parseInParts, parseLossless, textOfJson } from './lossless-json.ts';
import type { BodyReader } from './request-body.ts';

/** A body of up to this size is parsed, checked and bound within some milliseconds. */
const MAX_SMALL_BODY_BYTES = 16_384;

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;

/**
 * The value of a request's JSON; undefined if it has no body.
 *
 * @throws {BrokerError} UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST. Or as {@link BodyReader.read} does.
 * @throws {CallerGone} The caller hung up.
 */
export async function readJsonBody(call: Call, bodies: BodyReader): Promise<unknown> {
  const { request } = call;
  const { 'content-type': type } = request.headers;
  if (type === undefined && !hasBody(request)) return undefined;
  if (!JSON_TYPE.test(type ?? '')) {
    throw new BrokerError('UNSUPPORTED_MEDIA_TYPE', 'The content-type must be application/json');
  }
  const { 'content-encoding': encoding = 'identity' } = request.headers;
  if (!/^identity$/i.test(encoding)) {
    call.replyHeaders['accept-encoding'] = 'identity';
    throw new BrokerError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must be sent as it is: the only content-encoding allowed is identity',
    );
  }
  const body = await bodies.read(call);
  if (body.length === 0) throw new BrokerError('INVALID_REQUEST', 'The body is empty; it must be JSON');
  // Decoding would replace invalid bytes, and the database would get another text.
  if (!isUtf8(body)) throw new BrokerError('INVALID_REQUEST', 'The body is not valid UTF-8');
  if (body.length <= MAX_SMALL_BODY_BYTES) return parseLossless(textOfJson(body));
  call.isLarge = true;
  return await inTurns(parseInParts(body), call.gone);
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
  return length !== '0' || encoding !== undefined;
}
