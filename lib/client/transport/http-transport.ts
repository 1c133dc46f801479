import { lookup } from 'node:dns/promises';
import { backOffMs } from '../../async/back-off.ts';
import { BrokerError } from '../../errors.ts';
import { IDEMPOTENCY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER } from '../../protocol/routes.ts';
import { lookupAvoiding, type ResolveAddresses } from './broker-lookup.ts';
import { type BrokerReply, readFailure, toBrokerReply } from './broker-reply.ts';
import { CallBudget } from './call-budget.ts';
import type { CallerKey } from './caller-key.ts';
import { exchange, type HttpMessage, RequestNotSentError } from './http-exchange.ts';
import { KeepAliveSockets } from './keep-alive-agent.ts';

/** Pauses between six attempts, which take a second or two. */
const PAUSE = { firstMs: 50, maxMs: 800 };
const MAX_PAUSES = 5;

/** Failures to connect that may pass by themselves. A wrong certificate does not. */
const TRANSIENT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export interface BrokerRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON text. */
  readonly body?: string | undefined;
  /** Budget of the whole call, attempts and pauses included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly requestId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Requests a reply of this type as a stream. The budget then ends with the reply's head. */
  readonly streamType?: string | undefined;
}

/** The way to the broker. */
export interface Transport {
  /**
   * Sends a request and returns the broker's reply, whatever its status.
   *
   * It retries only if the request surely did nothing: no connection was made, the broker is draining, or it refused a key
   * that has been replaced since.
   *
   * @throws {BrokerError} `DEADLINE_EXCEEDED`; `BROKER_UNREACHABLE` if no usable reply came; `RESULT_TOO_LARGE`.
   *   Aborted, it rejects with the signal's reason.
   */
  send(request: BrokerRequest): Promise<BrokerReply>;
}

/** A call, for all its attempts. */
interface PendingCall {
  readonly request: BrokerRequest;
  readonly budget: CallBudget;
  /** Addresses of brokers that are draining. */
  readonly avoided: Set<string>;
}

export class HttpTransport implements Transport {
  readonly #base: URL;
  readonly #key: CallerKey;
  readonly #resolve: ResolveAddresses;
  readonly #sockets: KeepAliveSockets;

  constructor(
    base: URL,
    key: CallerKey,
    resolve: ResolveAddresses = (hostname) => lookup(hostname, { all: true }),
  ) {
    this.#base = base;
    this.#key = key;
    this.#resolve = resolve;
    this.#sockets = new KeepAliveSockets(base.protocol);
  }

  async send(request: BrokerRequest): Promise<BrokerReply> {
    request.signal?.throwIfAborted();
    const budget = new CallBudget(request.timeoutMs, request.signal);
    const call: PendingCall = { request, budget, avoided: new Set() };
    for (let failures = 0; failures < MAX_PAUSES; failures += 1) {
      const answer = await this.#attempt(call);
      if (!isTransient(answer)) return finish(answer, budget);
      const pauseMs = backOffMs(PAUSE, failures);
      if (pauseMs >= budget.remainingMs) return finish(answer, budget);
      await budget.pause(pauseMs);
    }
    return finish(await this.#attempt(call), budget);
  }

  /** One attempt, and another at once if only the key was outdated. */
  async #attempt(call: PendingCall): Promise<BrokerReply | RequestNotSentError> {
    const key = await call.budget.race(this.#key.read());
    const answer = await this.#exchange(call, key);
    if (answer instanceof RequestNotSentError || answer.status !== 401) return answer;
    const newKey = await call.budget.race(this.#key.replace(key));
    return newKey === undefined ? answer : await this.#exchange(call, newKey);
  }

  /** One exchange, on the first kept-alive connection that is still open, or on a new one. */
  async #exchange(call: PendingCall, key: string | undefined): Promise<BrokerReply | RequestNotSentError> {
    const { avoided, budget } = call;
    const route = { sockets: this.#sockets, lookup: lookupAvoiding(avoided, this.#resolve), avoided };
    try {
      const answer = await exchange(this.#toMessage(call, key), route, budget);
      const reply = toBrokerReply(answer);
      if (isDraining(reply)) avoided.add(answer.address);
      return reply;
    } catch (error) {
      if (!(error instanceof RequestNotSentError)) throw error;
      return error.hadDeadSocket ? await this.#exchange(call, key) : error;
    }
  }

  #toMessage({ request, budget }: PendingCall, key: string | undefined): HttpMessage {
    const { method, path, body, requestId, idempotencyKey, streamType } = request;
    const headers = {
      accept: streamType ?? 'application/json',
      [TIMEOUT_HEADER]: `${Math.max(1, budget.remainingMs)}`,
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(requestId !== undefined && { [REQUEST_ID_HEADER]: requestId }),
      ...(idempotencyKey !== undefined && { [IDEMPOTENCY_HEADER]: idempotencyKey }),
    };
    return {
      method,
      url: new URL(`${this.#base.pathname.replace(/\/$/, '')}${path}`, this.#base),
      headers,
      body,
      streamType,
    };
  }
}

function isTransient(answer: BrokerReply | RequestNotSentError): boolean {
  return answer instanceof RequestNotSentError ? TRANSIENT_CODES.has(answer.code) : isDraining(answer);
}

/** A stream that was cut off may have done something. */
function isDraining(reply: BrokerReply): boolean {
  if (reply.status !== 503) return false;
  const failure = readFailure(reply);
  return failure?.code === 'DRAINING' && failure.retryable;
}

/** The call's result: that of its last attempt. */
function finish(answer: BrokerReply | RequestNotSentError, budget: CallBudget): BrokerReply {
  if (!(answer instanceof RequestNotSentError)) return answer;
  if (budget.remainingMs === 0) throw budget.exceeded('not_applied');
  const message = `The broker could not be reached (${answer.code})`;
  throw new BrokerError('BROKER_UNREACHABLE', message, { cause: answer.cause });
}
