import type { ConnectionProfile } from './connection-profile.ts';
import { isKillDenied } from './control.ts';
import type { Wire } from './wire.ts';

/**
 * Has the server end what is running, and the connection with it. Where it may not be killed, the goodbye waits until
 * it has ended by itself: as long as it runs, the server counts the connection.
 */
export async function endRunning(
  wire: Wire,
  { control, victim }: Pick<ConnectionProfile, 'control' | 'victim'>,
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
