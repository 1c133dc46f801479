import type { Socket } from 'node:net';
import type { Command, CommandLine } from './mysql2-internals.ts';

/**
 * Sends the commands that `begin` gives the connection all at once; the server answers one after the other, as ever.
 * Each must fit into one packet, and must be harmless even if one before it fails.
 */
export function sendTogether<T>(line: CommandLine, socket: Socket, begin: () => T): T {
  if (!socket.writable) return begin();
  const { addCommand } = line;
  line.addCommand = (command) => {
    addCommand.call(line, command);
    if (command.next === null) sendAhead(line, command);
    return command;
  };
  socket.cork();
  try {
    return begin();
  } finally {
    socket.uncork();
    line.addCommand = addCommand;
  }
}

/** Sends a command that stands in line. When its turn comes, its answer is all that is left to take. */
function sendAhead(line: CommandLine, command: Command): void {
  line._resetSequenceId();
  const takeAnswer = command.start(undefined, line);
  command.start = () => {
    line._bumpSequenceId(1);
    return takeAnswer;
  };
}
