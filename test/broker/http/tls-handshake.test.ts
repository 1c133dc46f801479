import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { createHttpServer } from '../../../lib/broker/http/sockets/http-server.ts';
import { parseSettings } from '../../../lib/settings/parse-settings.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/http.ts';

const authority = new TestAuthority();
afterAll(() => authority[Symbol.dispose]());

const { server: settings } = parseSettings({
  databases: { default: { host: 'nowhere', database: 'd', credentials: { username: 'u', password: 'p' } } },
  allowAnonymous: true,
  server: { maxConnections: 1, tls: authority.issue() },
});

const HALF_A_CLIENT_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]);

async function closed(socket: Socket): Promise<unknown> {
  return await Promise.race([once(socket, 'close'), once(socket, 'end')]);
}

test('an unfinished TLS handshake is cut off after 10 seconds, and counts as a connection', {
  timeout: 30_000,
}, async () => {
  const failures: unknown[] = [];
  const server = createHttpServer(
    settings,
    () => undefined,
    (failure) => failures.push(failure),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const open = () => {
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return connect(port, '127.0.0.1').on('error', () => undefined);
  };
  const first = open();
  first.write(HALF_A_CLIENT_HELLO);
  await eventually(
    () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    (count) => count === 1,
  );
  const sinceMs = performance.now();
  const refused = open();
  await closed(refused.resume());
  expect(performance.now() - sinceMs).toBeLessThan(5_000);

  await closed(first.resume());
  const keptMs = performance.now() - sinceMs;
  expect(keptMs).toBeGreaterThan(9_000);
  expect(keptMs).toBeLessThan(15_000);
  expect(failures).toMatchObject([{ code: 'REQUEST_TIMEOUT' }]);
  for (const socket of [first, refused]) socket.destroy();
  server.close();
  await once(server, 'close');
});
