import * as z from 'zod';
import { httpEvent } from '../../functions/support/lambda.ts';
import type { Answer } from './payload.ts';
import type { LambdaFunction } from './start-function.ts';

const HttpAnswer = z.object({
  payload: z.object({
    statusCode: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
    isBase64Encoded: z.boolean(),
  }),
});

/** A call of one of the routes with a database in their path. */
export function post(what: 'query' | 'transaction', body: object | string, call = {}): object {
  return httpEvent({
    routeKey: `POST /databases/{alias}/${what}`,
    pathParameters: { alias: 'default' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...call,
  });
}

/** What an HTTP API makes of a function's answer for its caller. */
function toHttpAnswer(answer: Answer) {
  const { statusCode, headers, body, isBase64Encoded } = HttpAnswer.parse(answer).payload;
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
  return { statusCode, headers, isBase64Encoded, body: JSON.parse(text) as unknown };
}

export async function ask(fn: LambdaFunction, event: object) {
  return toHttpAnswer(await fn.invoke(event));
}
