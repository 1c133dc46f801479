import type { Socket } from 'node:net';
import type { Command, Internals } from './mysql2-internals.ts';

/**
 * Sends the commands that `begin` adds without waiting for responses; the server responds in order. Each must fit into
 * one packet, and must be harmless even if an earlier one fails.
 */
export function sendTogether<T>(internals: Internals, socket: Socket, begin: () => T): T {
  if (!socket.writable) return begin();
  const { addCommand } = internals;
  internals.addCommand = (command) => {
    addCommand.call(internals, command);
    if (command.next === null) sendAhead(internals, command);
    return command;
  };
  socket.cork();
  try {
    return begin();
  } finally {
    socket.uncork();
    internals.addCommand = addCommand;
  }
}

/** Sends a queued command. When its turn comes, only its response is left to read. */
function sendAhead(internals: Internals, command: Command): void {
  internals._resetSequenceId();
  const takeAnswer = command.start(undefined, internals);
  command.start = () => {
    internals._bumpSequenceId(1);
    return takeAnswer;
  };
}
