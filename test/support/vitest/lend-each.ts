import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LentThings<T> {
  readonly url: string;
  /** Ends, and has all that was made. */
  close(): Promise<readonly T[]>;
}

interface LentThing<T> {
  readonly thing: Promise<T>;
  /** The process that has it; undefined: nobody. */
  holder: number | undefined;
}

/**
 * For vitest's global set-up: what takes long to make serves one test file after the other, in whichever worker, and
 * two at a time never. A process that has ended without giving back what it had has it no more.
 */
export async function lendEach<T extends object>(make: () => Promise<T>): Promise<LentThings<T>> {
  const all: LentThing<T>[] = [];
  const lend = async (holder: number): Promise<{ id: number; thing: T }> => {
    const free = all.find((lent) => lent.holder === undefined || !isAlive(lent.holder));
    const lent = free ?? { thing: make(), holder };
    if (free === undefined) all.push(lent);
    lent.holder = holder;
    return { id: all.indexOf(lent), thing: await lent.thing };
  };
  const server = createServer((request, response) => {
    const [, verb, number] = request.url?.split('/') ?? [];
    if (verb === 'return') {
      const lent = all[Number(number)];
      if (lent !== undefined) lent.holder = undefined;
      response.end('{}');
      return;
    }
    lend(Number(number)).then(
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
      const settled = await Promise.allSettled(all.map(({ thing }) => thing));
      return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    },
  };
}

/** Borrows a thing of {@link lendEach} for this process. `giveBack` it when it is as it was. */
export async function borrow<T extends object>(
  url: string,
): Promise<{ readonly thing: T; readonly giveBack: () => Promise<void> }> {
  const reply = await fetch(`${url}/borrow/${process.pid}`);
  if (!reply.ok) throw new Error(await reply.text());
  const { id, thing } = (await reply.json()) as { id: number; thing: T };
  return {
    thing,
    giveBack: async () => {
      await fetch(`${url}/return/${id}`);
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
