import type { Command, Internals } from './mysql2-internals.ts';

/**
 * Sends the commands that `begin` adds without waiting for responses; the server responds in order. Each must fit into
 * one packet, and must be harmless even if an earlier one fails.
 */
export function sendTogether<T>(internals: Internals, begin: () => T): T {
  const { addCommand, stream } = internals;
  if (!stream.writable) return begin();
  internals.addCommand = (command) => {
    addCommand.call(internals, command);
    if (command.next === null) sendAhead(internals, command);
    return command;
  };
  stream.cork();
  try {
    return begin();
  } finally {
    stream.uncork();
    internals.addCommand = addCommand;
  }
}

/**
 * Sends a command at once, although others still wait for their responses, on the conditions of {@link sendTogether}. All
 * commands of one turn of the event loop are written to the socket together.
 */
export function sendAlong(internals: Internals, command: Command): void {
  const { stream } = internals;
  // On a connection that has ended, this fails all commands.
  if (!stream.writable) {
    internals.addCommand(command);
    return;
  }
  stream.cork();
  internals.addCommand(command);
  if (command.next === null) sendAhead(internals, command);
  // After the promises that are settled by now: each of them may send one more command.
  process.nextTick(uncork, stream);
}

function uncork(stream: Internals['stream']): void {
  stream.uncork();
}

/** Sends a queued command. When its turn comes, only its response is left to read. */
function sendAhead(internals: Internals, command: Command): void {
  // The packets of a response that is under way keep their numbers.
  const { sequenceId } = internals;
  internals._resetSequenceId();
  const takeAnswer = command.start(undefined, internals);
  internals.sequenceId = sequenceId;
  command.start = () => {
    internals._bumpSequenceId(1);
    return takeAnswer;
  };
}
