import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { takePort } from '../../infra/local/process/free-port.ts';

test('a port that is taken is replaced by a later one, and that is said', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  const messages: string[] = [];

  const port = await takePort(taken, (message) => messages.push(message));

  expect(port).toBeGreaterThan(taken);
  expect(messages).toEqual([`Port ${taken} is taken: using ${port}`]);
  server.close();
});
