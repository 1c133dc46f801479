import type { ServerResponse } from 'node:http';

/** Cuts off a caller that takes nothing of its reply for so long: what it does not take stays in memory. */
export function cutOffStalledReader(response: ServerResponse, stallMs: number): void {
  // The whole reply is with the connection now. Until then a silent connection is one whose statement runs.
  response.on('prefinish', () => {
    const { socket } = response;
    if (socket === null || socket.writableLength === 0) return;
    // Node lets the time begin anew with every byte that the caller takes, and destroys the connection at its end.
    socket.setTimeout(stallMs);
    // Before Node's own listener, which sets how long an idle connection is kept.
    response.prependOnceListener('finish', () => socket.setTimeout(0));
  });
}

/** Resolves when the caller has taken what was written so far. Cuts it off likewise. */
export async function whenTaken(response: ServerResponse, stallMs: number): Promise<void> {
  response.setTimeout(stallMs);
  await new Promise<void>((resolve) => {
    response.once('drain', resolve);
  });
  response.setTimeout(0);
}
