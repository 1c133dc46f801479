import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServedOnce<T> {
  /** Answers `/{name}` with what was made for the name, as JSON. */
  readonly url: string;
  /** Ends, and has all that was made. */
  close(): Promise<readonly T[]>;
}

/**
 * For vitest's global set-up: what takes long is made once for each name, when a test file first asks for it, and
 * shared by all files of the run, in whichever worker.
 */
export async function serveOnce<T extends object>(
  make: (name: string) => Promise<T>,
): Promise<ServedOnce<T>> {
  const made = new Map<string, Promise<T>>();
  const server = createServer((request, response) => {
    const name = decodeURIComponent(request.url?.slice(1) ?? '');
    const thing = made.get(name) ?? make(name);
    made.set(name, thing);
    thing.then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      const settled = await Promise.allSettled(made.values());
      return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
  };
}

/** What {@link serveOnce} has for the name, made now if it is the first to ask. */
export async function askOnce<T extends object>(url: string, name: string): Promise<T> {
  const reply = await fetch(`${url}/${encodeURIComponent(name)}`);
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()) as T;
}
