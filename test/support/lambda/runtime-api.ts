import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type Answer, type FunctionError, failed, MAX_ANSWER_BYTES } from './payload.ts';

const ROOT = '/2018-06-01/runtime';
const ARN = 'arn:aws:lambda:eu-west-1:123456789012:function';
const TRACE_ID = 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1';

export interface Invocation {
  readonly id: string;
  readonly event: string;
  readonly deadlineMs: number;
}

interface Underway {
  readonly id: string;
  readonly settle: (answer: Answer) => void;
}

/** The Lambda Runtime API, as one process of a function sees it. */
export class RuntimeApi {
  readonly #functionName: string;
  readonly #server: Server;
  /** The process's question for its next event. */
  #question: ServerResponse | undefined;
  #underway: Underway | undefined;
  #ready: Promise<FunctionError | undefined>;
  #settleReady: (failure: FunctionError | undefined) => void = () => {};

  private constructor(functionName: string) {
    this.#functionName = functionName;
    this.#ready = this.#nextQuestion();
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.destroy());
    });
  }

  static async listen(functionName: string): Promise<RuntimeApi> {
    const api = new RuntimeApi(functionName);
    await once(api.#server.listen(0, '127.0.0.1'), 'listening');
    return api;
  }

  /** Resolves when the process asks for an event; with a failure, if that is what it tells instead. */
  get ready(): Promise<FunctionError | undefined> {
    return this.#ready;
  }

  /** Where it listens, as AWS_LAMBDA_RUNTIME_API names it. */
  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : undefined}`;
  }

  /** Hands an event to the process, which must have asked for one. Resolves with what it answers. */
  async invoke({ id, event, deadlineMs }: Invocation): Promise<Answer> {
    const question = this.#question;
    if (question === undefined) throw new Error('the process has not asked for an event');
    this.#question = undefined;
    this.#ready = this.#nextQuestion();
    const answer = new Promise<Answer>((settle) => {
      this.#underway = { id, settle };
    });
    question.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(deadlineMs),
      'lambda-runtime-invoked-function-arn': `${ARN}:${this.#functionName}`,
      'lambda-runtime-trace-id': TRACE_ID,
    });
    question.end(event);
    return await answer;
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
  }

  async #nextQuestion(): Promise<FunctionError | undefined> {
    return await new Promise((resolve) => {
      this.#settleReady = resolve;
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const path = request.url?.startsWith(ROOT) ? request.url.slice(ROOT.length) : '';
    if (request.method === 'GET' && path === '/invocation/next') {
      this.#question = response;
      this.#settleReady(undefined);
    } else if (request.method === 'POST' && path === '/init/error') {
      this.#settleReady(JSON.parse(body.toString()) as FunctionError);
      reply(response, 202, { status: 'OK' });
    } else if (request.method === 'POST' && /^\/invocation\/[^/]+\/(response|error)$/.test(path)) {
      this.#take(path, body, response);
    } else {
      reply(response, 404, failed('NotFound', 'Not of the Runtime API').error);
    }
  }

  #take(path: string, body: Buffer, response: ServerResponse): void {
    const underway = this.#underway;
    const [, , id, kind] = path.split('/');
    if (underway === undefined || underway.id !== id) {
      reply(response, 400, failed('InvalidRequestID', 'Invalid request ID').error);
      return;
    }
    this.#underway = undefined;
    if (body.length > MAX_ANSWER_BYTES) {
      const what = `Response payload size (${body.length} bytes) exceeded maximum allowed payload size`;
      const refusal = failed('Function.ResponseSizeTooLarge', `${what} (${MAX_ANSWER_BYTES} bytes).`);
      underway.settle(refusal);
      reply(response, 413, refusal.error);
      return;
    }
    const told: unknown = JSON.parse(body.toString());
    underway.settle(kind === 'error' ? { error: told as FunctionError } : { payload: told });
    reply(response, 202, { status: 'OK' });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
