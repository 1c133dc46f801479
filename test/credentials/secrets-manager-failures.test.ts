import { describe, expect, test, vi } from 'vitest';
import { credentialsSourceOf, runningSecretsManager } from './support/credentials-of.ts';

const FROM_SECRET = { host: 'db', credentials: { secretId: 'prod/shop' } };

async function failure(): Promise<unknown> {
  return await credentialsSourceOf(FROM_SECRET)
    .current()
    .catch((error: unknown) => error);
}

describe('what an operator must mend is not retryable, and says what it is', () => {
  test('a secret that does not exist', async () => {
    await runningSecretsManager();

    expect(await failure()).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      reason: 'there is no such secret in this region, or it has no current version',
    });
  });

  test.each([
    ['AccessDeniedException', 'the broker may not read it'],
    ['InvalidRequestException', 'it may be scheduled for deletion'],
    ['UnrecognizedClientException', 'the AWS credentials of the broker are not valid'],
  ] as const)('%s', async (trouble, reason) => {
    const secrets = await runningSecretsManager();
    secrets.trouble = trouble;

    expect(await failure()).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      reason: expect.stringContaining(reason),
    });
  });

  test('no region', async () => {
    await runningSecretsManager();
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');

    expect(await failure()).toMatchObject({ code: 'CREDENTIALS_REFUSED', reason: 'AWS_REGION is not set' });
  });

  test('no AWS credentials', async () => {
    await runningSecretsManager();
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');

    expect(await failure()).toMatchObject({
      code: 'CREDENTIALS_REFUSED',
      reason: 'the broker has no AWS credentials',
    });
  });
});

describe('what may pass by itself is retryable', () => {
  test.each(['ThrottlingException', 'unreachable', 'InternalServiceErrorException'] as const)(
    '%s',
    async (trouble) => {
      const secrets = await runningSecretsManager();
      secrets.trouble = trouble;

      expect(await failure()).toMatchObject({ code: 'DATABASE_UNREACHABLE', retryable: true });
    },
  );

  test('no answer within five seconds', async () => {
    const secrets = await runningSecretsManager();
    secrets.trouble = 'silent';

    expect(await failure()).toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      reason: 'Secrets Manager did not answer (TimeoutError)',
    });
  });
});
