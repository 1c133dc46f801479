/** A text by which each that does not belong into a function's bundle shows itself. */
export const STRANGERS = {
  'the broker': 'Server listening at',
  mysql2: 'caching_sha2_password',
  pino: 'pino.',
  'prom-client': 'process_cpu_user_seconds_total',
  'the AWS SDK': 'amz-sdk-invocation-id',
  'the large zod': 'Invalid input: expected',
};
