import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { TestServer } from '../../support/database/own-database.ts';
import { compiledPath } from '../compiled.ts';

export interface DelayingProxy extends Disposable {
  readonly port: number;
}

/** Puts the server further away, by a process that is measured with nobody. */
export async function startDelayingProxy({ port }: TestServer, delayMs: number): Promise<DelayingProxy> {
  const child = fork(compiledPath('delaying-proxy'), {
    env: { ...process.env, TARGET_PORT: String(port), DELAY_MS: String(delayMs) },
    execArgv: [],
  });
  const [listening]: unknown[] = await once(child, 'message');
  return { port: Number(listening), [Symbol.dispose]: () => child.disconnect() };
}
