import { ERROR_TRAITS } from '../../errors.ts';
import { FailureBody } from '../../protocol/failure.ts';
import { Result, Statement } from '../../protocol/query.ts';
import { RotationEvent } from '../../protocol/rotation.ts';
import {
  BATCH_ROUTE,
  DATABASE_ROUTE,
  DATABASES_ROUTE,
  HEALTH_ROUTE,
  IN_TRANSACTION_ROUTES,
  METRICS_ROUTE,
  OPENAPI_ROUTE,
  PAUSE_ROUTE,
  QUERY_ROUTE,
  READY_ROUTE,
  RECONNECT_ROUTE,
  REFRESH_CREDENTIALS_ROUTE,
  REPLAY_HEADER,
  RESUME_ROUTE,
  ROTATION_ROUTE,
  TRANSACTION_ROUTE,
  TRANSACTIONS_ROUTE,
} from '../../protocol/routes.ts';
import { StreamLine } from '../../protocol/stream.ts';
import {
  Batch,
  BatchResult,
  BegunTransaction,
  EndedTransaction,
  TransactionBody,
  TransactionResult,
  TransactionTerms,
} from '../../protocol/transaction.ts';
import { jsonReply } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import {
  aliasParameter,
  jsonContent,
  jsonSchema,
  keyParameter,
  ndjsonContent,
  replayHeader,
  requestIdParameter,
  stepParameter,
  timeoutParameter,
  transactionParameter,
} from './openapi-content.ts';

/** `GET /openapi.json`: this interface as OpenAPI 3.1, made from the schemas that validate it. */
export function addOpenapiRoute(app: HttpApp): void {
  const document = JSON.stringify(openapiDocument());
  app.addRoute({ method: 'GET', path: OPENAPI_ROUTE, handle: async () => jsonReply(document) });
}

function openapiDocument() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'serverless-conn-pool broker',
      version: '1',
      description: 'SQL over HTTP on pooled MySQL connections.',
    },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Statement: jsonSchema(Statement, 'input'),
        Result: jsonSchema(Result, 'output'),
        StreamLine: jsonSchema(StreamLine, 'output'),
        Transaction: jsonSchema(TransactionBody, 'input'),
        TransactionResult: jsonSchema(TransactionResult, 'output'),
        Batch: jsonSchema(Batch, 'input'),
        BatchResult: jsonSchema(BatchResult, 'output'),
        TransactionTerms: jsonSchema(TransactionTerms, 'input'),
        BegunTransaction: jsonSchema(BegunTransaction, 'output'),
        EndedTransaction: jsonSchema(EndedTransaction, 'output'),
        RotationEvent: jsonSchema(RotationEvent, 'input'),
        Failure: jsonSchema(FailureBody, 'output'),
      },
    },
    paths: {
      [templated(QUERY_ROUTE)]: {
        post: work('Runs one statement on a connection of its own.', aliasParameter, {
          body: 'Statement',
          result: 'Result',
          line: 'StreamLine',
          takesKey: true,
        }),
      },
      [templated(BATCH_ROUTE)]: {
        post: work('Runs one statement with many sets of values, all or nothing.', aliasParameter, {
          body: 'Batch',
          result: 'BatchResult',
          takesKey: true,
        }),
      },
      [templated(TRANSACTION_ROUTE)]: {
        post: work('Runs several statements in one transaction, all or nothing.', aliasParameter, {
          body: 'Transaction',
          result: 'TransactionResult',
          takesKey: true,
        }),
      },
      [templated(TRANSACTIONS_ROUTE)]: {
        post: work('Begins a transaction.', aliasParameter, {
          body: 'TransactionTerms',
          result: 'BegunTransaction',
          status: 201,
        }),
      },
      [templated(IN_TRANSACTION_ROUTES.query)]: {
        post: work('Runs one statement of an open transaction.', transactionParameter, {
          body: 'Statement',
          result: 'Result',
          line: 'StreamLine',
        }),
      },
      [templated(IN_TRANSACTION_ROUTES.batch)]: {
        post: work('Runs a batch in an open transaction, whole or not at all.', transactionParameter, {
          body: 'Batch',
          result: 'BatchResult',
        }),
      },
      [templated(IN_TRANSACTION_ROUTES.commit)]: {
        post: work('Commits. Asked again, it answers the same.', transactionParameter, {
          result: 'EndedTransaction',
        }),
      },
      [templated(IN_TRANSACTION_ROUTES.rollback)]: {
        post: work('Rolls back. Asked again, it answers the same.', transactionParameter, {
          result: 'EndedTransaction',
        }),
      },
      [DATABASES_ROUTE]: {
        get: described('Settings in force and pool figures of every database.', [], true),
      },
      [templated(DATABASE_ROUTE)]: {
        get: described('Settings in force and pool figures of one database.', [aliasParameter], true),
      },
      [templated(REFRESH_CREDENTIALS_ROUTE)]: {
        post: described(
          'Fetches the credentials now: {changed, versionId}. A failed fetch is a failure.',
          [aliasParameter],
          true,
        ),
      },
      [templated(RECONNECT_ROUTE)]: {
        post: described('Replaces every connection, each when it is free.', [aliasParameter], true),
      },
      [templated(PAUSE_ROUTE)]: {
        post: described('Holds new checkouts in the queue; their deadlines run.', [aliasParameter], true),
      },
      [templated(RESUME_ROUTE)]: {
        post: described('Serves the held checkouts again.', [aliasParameter], true),
      },
      [templated(ROTATION_ROUTE)]: {
        post: {
          ...described(
            'Does a step of the rotation of a secret that the settings name.',
            [stepParameter],
            true,
          ),
          requestBody: { required: true, content: jsonContent('RotationEvent') },
        },
      },
      [HEALTH_ROUTE]: { get: described('200 while the process can serve.') },
      [READY_ROUTE]: {
        get: described('200 while it can do work; else 503.', [
          { name: 'alias', in: 'query', required: false, schema: { type: 'string' } },
        ]),
      },
      [METRICS_ROUTE]: { get: described('Prometheus metrics, as text.') },
      [OPENAPI_ROUTE]: { get: described('This document.') },
    },
  };
}

/** One response for each status, naming the codes that come with it. */
const failures = Object.fromEntries(
  [...new Set(Object.values(ERROR_TRAITS).map(({ httpStatus }) => httpStatus))].map((status) => [
    status,
    { description: codesOf(status).join(', '), content: jsonContent('Failure') },
  ]),
);

function codesOf(status: number): string[] {
  return Object.entries(ERROR_TRAITS)
    .filter(([, traits]) => traits.httpStatus === status)
    .map(([code]) => code);
}

interface WorkSchemas {
  readonly body?: string;
  readonly result: string;
  /** The schema of a line of the stream that may be requested instead. */
  readonly line?: string;
  readonly status?: number;
  readonly takesKey?: boolean;
}

/** A call that runs SQL or ends a transaction. */
function work(
  summary: string,
  parameter: object,
  { body, result, line, status = 200, takesKey = false }: WorkSchemas,
) {
  return {
    summary,
    security: [{ key: [] }],
    parameters: [parameter, timeoutParameter, requestIdParameter, ...(takesKey ? [keyParameter] : [])],
    ...(body !== undefined && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      [status]: {
        description: 'Done.',
        ...(takesKey && { headers: { [REPLAY_HEADER]: replayHeader } }),
        content: { ...jsonContent(result), ...(line !== undefined && ndjsonContent(line)) },
      },
      ...failures,
    },
  };
}

function described(summary: string, parameters: readonly object[] = [], needsKey = false) {
  return {
    summary,
    parameters,
    ...(needsKey ? { security: [{ key: [] }] } : {}),
    responses: {
      200: { description: 'OK' },
      default: { description: 'Failure', content: jsonContent('Failure') },
    },
  };
}

function templated(route: string): string {
  return route.replace(/:(\w+)/g, '{$1}');
}
