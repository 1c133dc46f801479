import * as z from 'zod';
import { HEALTH_ROUTE } from '../../protocol/routes.ts';
import { BROKER_ID } from './broker-id.ts';
import type { PeerAddress } from './peer-address.ts';
import { headOfReply, type PeerHttp } from './peer-http.ts';

const ANSWER_TIMEOUT_MS = 2_000;
const MAX_ANSWER_BYTES = 4_096;

const Health = z.object({ task: z.string().regex(BROKER_ID) });

/**
 * Asks for the id of the broker at an address. Sends no secret.
 *
 * @returns undefined if there is no broker.
 * @throws if nothing answers.
 */
export async function probePeer(http: PeerHttp, address: PeerAddress): Promise<string | undefined> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const request = await http.connect(address, { method: 'GET', path: HEALTH_ROUTE, signal });
  const response = await headOfReply(request, undefined, ANSWER_TIMEOUT_MS);
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    if (text.length > MAX_ANSWER_BYTES) return undefined;
  }
  return Health.safeParse(jsonOf(text)).data?.task;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
