import type { Wire } from '../../driver/wire.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import { isKillDenied } from './kill-channel.ts';

/**
 * Makes the server end the running statement, and the connection with it. If that may not be killed, COM_QUIT follows the
 * statement: while it runs, the server counts the connection.
 */
export async function endRunning(
  wire: Wire,
  { killChannel, killTarget }: Pick<ConnectionOptions, 'killChannel' | 'killTarget'>,
): Promise<void> {
  wire.giveUp('closed while a statement ran');
  try {
    await killChannel.killConnection(killTarget);
    wire.ignoreRest();
    wire.destroyUnlessClosed();
  } catch (error) {
    if (isKillDenied(error)) wire.end();
    else wire.destroy();
  }
}
