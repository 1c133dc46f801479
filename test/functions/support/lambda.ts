import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

export const AWS_REQUEST_ID = '8f5e2d4c-0000-4000-8000-000000000001';

/** What Lambda tells a function of an invocation that has so much time left. */
export function contextWith(remainingMs = 10_000): Context {
  return {
    awsRequestId: AWS_REQUEST_ID,
    functionName: 'query',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:query',
    memoryLimitInMB: '256',
    logGroupName: '/aws/lambda/query',
    logStreamName: 'stream',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => remainingMs,
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

interface HttpCall {
  readonly routeKey: string;
  readonly pathParameters?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** An event of an HTTP API, payload 2.0. */
export function httpEvent({
  routeKey,
  headers = {},
  isBase64Encoded = false,
  ...call
}: HttpCall): APIGatewayProxyEventV2 {
  const [method = '', path = ''] = routeKey.split(' ');
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', ...headers },
    isBase64Encoded,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'api.execute-api.eu-west-1.amazonaws.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey,
      stage: '$default',
      time: '22/Nov/2026:10:00:00 +0000',
      timeEpoch: 1_795_341_600_000,
    },
    ...call,
  };
}
