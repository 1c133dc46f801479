import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
}

export interface TcpProxyOptions {
  /** The port on this machine that the next connection goes to. */
  portOfNext(): number;
  /** What becomes of each chunk that a server sends. */
  change?(fromServer: Buffer): Buffer;
}

/** Stands before one server or several on this machine, as a load balancer or a proxy does. */
export async function startTcpProxy({
  portOfNext,
  change = (chunk) => chunk,
}: TcpProxyOptions): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const peer = connect({ host: '127.0.0.1', port: portOfNext(), noDelay: true });
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => to.write(from === peer ? change(chunk) : chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
