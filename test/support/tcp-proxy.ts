import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
}

export interface TcpProxyOptions {
  /** Where it listens. Default: any free port of 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number };
  /** The port on this machine that the next connection goes to. */
  portOfNext(): number;
  /** What becomes of each chunk that a server sends. */
  change?(fromServer: Buffer): Buffer;
  /** What becomes of each chunk that a client sends. */
  changeRequest?(fromClient: Buffer): Buffer;
  /** Clients are not told that a server has hung up. */
  hidesLoss?(): boolean;
}

/** Stands before one server or several on this machine, as a load balancer or a proxy does. */
export async function startTcpProxy({
  at = { host: '127.0.0.1', port: 0 },
  portOfNext,
  change = (chunk) => chunk,
  changeRequest = (chunk) => chunk,
  hidesLoss = () => false,
}: TcpProxyOptions): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const peer = connect({ host: '127.0.0.1', port: portOfNext(), noDelay: true, allowHalfOpen: true });
    for (const [from, to] of [
      [client, peer],
      [peer, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => to.write(from === peer ? change(chunk) : changeRequest(chunk)));
      const isHidden = () => from === peer && hidesLoss();
      from.on('end', () => !isHidden() && to.end());
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        if (!isHidden()) to.destroy();
      });
    }
  });
  server.listen(at);
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
