import type { Wire } from '../driver/wire.ts';
import type { ConnectionOptions } from './connection-profile.ts';
import { isKillDenied } from './kill-channel.ts';

/**
 * Has the server end what is running, and the connection with it. Where it may not be killed, the goodbye waits until
 * it has ended by itself: as long as it runs, the server counts the connection.
 */
export async function endRunning(
  wire: Wire,
  { control, victim }: Pick<ConnectionOptions, 'control' | 'victim'>,
): Promise<void> {
  wire.giveUp();
  try {
    await control.killConnection(victim);
    wire.ignoreRest();
    wire.destroyUnlessClosed();
  } catch (error) {
    if (isKillDenied(error)) wire.end();
    else wire.destroy();
  }
}
