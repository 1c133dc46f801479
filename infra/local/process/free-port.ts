import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first port from `first` on that nothing listens on at 127.0.0.1; any free one without `first`. */
export async function findFreePort(first = 0): Promise<number> {
  for (let port = first; port < 65_536; port += 1) {
    const found = await tryPort(port);
    if (found !== undefined) return found;
  }
  throw new Error(`No port from ${first} on is free`);
}

/** The wanted port, or the next free one, and says so. */
export async function takePort(wanted: number, onProgress: (message: string) => void): Promise<number> {
  const port = await findFreePort(wanted);
  if (port !== wanted) onProgress(`Port ${wanted} is taken: using ${port}`);
  return port;
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const address = server.address();
  await once(server.close(), 'close');
  return typeof address === 'object' ? address?.port : undefined;
}
