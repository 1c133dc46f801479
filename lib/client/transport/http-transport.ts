import { lookup } from 'node:dns/promises';
import { BrokerError } from '../../errors.ts';
import { IDEMPOTENCY_HEADER, REQUEST_ID_HEADER, TIMEOUT_HEADER } from '../../protocol/routes.ts';
import { lookupAvoiding, type Resolve } from './broker-lookup.ts';
import { type BrokerReply, readFailure, toBrokerReply } from './broker-reply.ts';
import { CallBudget } from './call-budget.ts';
import type { CallerKey } from './caller-key.ts';
import { exchange, type HttpMessage, RequestNotSentError } from './http-exchange.ts';
import { KeepAliveSockets } from './keep-alive-agent.ts';

/** Pauses between tries, before jitter: six tries within a second or two. */
const PAUSES_MS = [50, 100, 200, 400, 800];

/** Failures to connect that may pass by themselves. A certificate that does not fit is not among them. */
const PASSING_CODES = new Set([
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
  /** Budget of the whole call, tries and pauses included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly requestId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Asks for a reply of this type, which is handed over as a stream: the budget then ends with the reply's head. */
  readonly streamType?: string | undefined;
}

/** The way to the broker. */
export interface Transport {
  /**
   * Sends a request and returns the broker's reply, whatever its status.
   *
   * It tries again only what surely did nothing: no connection came about, the broker is draining, or it refused
   * a key that has been replaced since.
   *
   * @throws {BrokerError} `DEADLINE_EXCEEDED`; `BROKER_UNREACHABLE` if no usable reply came; `RESULT_TOO_LARGE`.
   *   Aborted, it rejects with the signal's reason.
   */
  send(request: BrokerRequest): Promise<BrokerReply>;
}

/** One call on its way: what all its tries share. */
interface Call {
  readonly request: BrokerRequest;
  readonly budget: CallBudget;
  /** Addresses of brokers that are draining. */
  readonly avoided: Set<string>;
}

export class HttpTransport implements Transport {
  readonly #base: URL;
  readonly #key: CallerKey;
  readonly #resolve: Resolve;
  readonly #sockets: KeepAliveSockets;

  constructor(base: URL, key: CallerKey, resolve: Resolve = (hostname) => lookup(hostname, { all: true })) {
    this.#base = base;
    this.#key = key;
    this.#resolve = resolve;
    this.#sockets = new KeepAliveSockets(base.protocol);
  }

  async send(request: BrokerRequest): Promise<BrokerReply> {
    request.signal?.throwIfAborted();
    const budget = new CallBudget(request.timeoutMs, request.signal);
    const call: Call = { request, budget, avoided: new Set() };
    for (const longestPauseMs of PAUSES_MS) {
      const answer = await this.#ask(call);
      if (!mayPass(answer)) return settle(answer, budget);
      const pauseMs = longestPauseMs * (0.5 + Math.random() / 2);
      if (pauseMs >= budget.remainingMs) return settle(answer, budget);
      await budget.pause(pauseMs);
    }
    return settle(await this.#ask(call), budget);
  }

  /** One try, and another at once if only the key was old. */
  async #ask(call: Call): Promise<BrokerReply | RequestNotSentError> {
    const key = await call.budget.race(this.#key.read());
    const answer = await this.#exchange(call, key);
    if (answer instanceof RequestNotSentError || answer.status !== 401) return answer;
    const newKey = await call.budget.race(this.#key.replace(key));
    return newKey === undefined ? answer : await this.#exchange(call, newKey);
  }

  /** One exchange, on the first kept connection that turns out to be alive, or on a new one. */
  async #exchange(call: Call, key: string | undefined): Promise<BrokerReply | RequestNotSentError> {
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

  #toMessage({ request, budget }: Call, key: string | undefined): HttpMessage {
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

function mayPass(answer: BrokerReply | RequestNotSentError): boolean {
  return answer instanceof RequestNotSentError ? PASSING_CODES.has(answer.code) : isDraining(answer);
}

/** A stream that was cut off may have done something. */
function isDraining(reply: BrokerReply): boolean {
  if (reply.status !== 503) return false;
  const failure = readFailure(reply);
  return failure?.code === 'DRAINING' && failure.retryable;
}

/** The call's end: what the last try brought. */
function settle(answer: BrokerReply | RequestNotSentError, budget: CallBudget): BrokerReply {
  if (!(answer instanceof RequestNotSentError)) return answer;
  if (budget.remainingMs === 0) throw budget.exceeded('not_applied');
  const message = `The broker could not be reached (${answer.code})`;
  throw new BrokerError('BROKER_UNREACHABLE', message, { cause: answer.cause });
}
