import { assert } from '../errors.ts';
import type { Driver } from './driver.ts';

// What mysql2 keeps to itself: it sends a command when the one before has been answered.

interface Command {
  /** null until it has been sent. */
  readonly next: unknown;
  /** Sends it. Returns the state that takes the answer. */
  start: (packet: undefined, connection: object) => unknown;
}

interface CommandLine {
  addCommand: (command: Command) => Command;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
}

/**
 * Sends the commands that `begin` gives the connection all at once; the server answers one after the other, as ever.
 * Each must fit into one packet, and must be harmless even if one before it fails.
 */
export function sendTogether<T>({ connection, socket }: Driver, begin: () => T): T {
  assert(isCommandLine(connection), 'a driver that sends commands in another way');
  if (!socket.writable) return begin();
  const { addCommand } = connection;
  connection.addCommand = (command) => {
    addCommand.call(connection, command);
    if (command.next === null) sendAhead(connection, command);
    return command;
  };
  socket.cork();
  try {
    return begin();
  } finally {
    socket.uncork();
    connection.addCommand = addCommand;
  }
}

/** Sends a command that stands in line. When its turn comes, its answer is all that is left to take. */
function sendAhead(connection: CommandLine, command: Command): void {
  connection._resetSequenceId();
  const takeAnswer = command.start(undefined, connection);
  command.start = () => {
    connection._bumpSequenceId(1);
    return takeAnswer;
  };
}

function isCommandLine(connection: object): connection is CommandLine {
  return ['addCommand', '_resetSequenceId', '_bumpSequenceId'].every(
    (name) => typeof Reflect.get(connection, name) === 'function',
  );
}
