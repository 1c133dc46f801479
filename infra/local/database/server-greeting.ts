import { connect } from 'node:net';

/**
 * Whether the server serves, which is at the first byte of its greeting: it listens long before it has run its
 * first statements.
 */
export async function serverGreets(port: number, signal: AbortSignal): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', signal });
  try {
    return await new Promise((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
