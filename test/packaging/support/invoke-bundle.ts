import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Runs a packaged handler in a process of its own, as Lambda does.
 *
 * @returns what it returned, or `{thrown: {name, message}}`.
 */
export async function invokeBundle(
  file: string,
  event: object,
  env: Readonly<Record<string, string>>,
): Promise<unknown> {
  const script = `
    import { handler } from ${JSON.stringify(file)};
    const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 10_000 };
    const answer = await handler(${JSON.stringify(event)}, context)
      .catch(({ name, message }) => ({ thrown: { name, message } }));
    console.log(JSON.stringify(answer));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, ...env },
  });
  return JSON.parse(stdout);
}
