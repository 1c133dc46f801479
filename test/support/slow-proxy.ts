import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** Stands before a server on this machine and makes it as slow as one that is far away: up to `mostMs` for each chunk. */
export async function startSlowProxy(port: number, mostMs: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const peer = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const socket of [caller, peer]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    void forward(caller, peer, mostMs);
    void forward(peer, caller, mostMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Chunk after chunk, in order. When either end is gone, so is the other. */
async function forward(from: Socket, to: Socket, mostMs: number): Promise<void> {
  try {
    for await (const chunk of from) {
      await delay(mostMs * Math.random());
      to.write(chunk);
    }
    to.end();
  } catch {
    to.destroy();
  }
}
