import { type AddressInfo, connect, createServer } from 'node:net';

// Stands before a database that is further away: what clients send arrives after DELAY_MS, what they get at once.

const { TARGET_PORT, DELAY_MS } = process.env;

const server = createServer({ noDelay: true }, (client) => {
  const database = connect({ host: '127.0.0.1', port: Number(TARGET_PORT), noDelay: true });
  client.on('data', (chunk) => setTimeout(() => database.write(chunk), Number(DELAY_MS)));
  database.on('data', (chunk) => client.write(chunk));
  for (const [one, other] of [
    [client, database],
    [database, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
});
server.listen(0, '127.0.0.1', () => {
  const { port }: AddressInfo = Object(server.address());
  process.send?.(port);
});
process.on('disconnect', () => process.exit());
