import type { Connection } from 'mysql2';
import { assert } from '../errors.ts';
import type { PacketBytes } from './packet-reader.ts';

// What mysql2 keeps to itself: its line of commands. It sends a command when the one before has been answered.

export interface Command {
  /** null until it has been sent. */
  readonly next: unknown;
  /** Sends it. Returns the state that takes the answer. */
  start: (packet: undefined, line: CommandLine) => unknown;
  /** Takes the next packet of the answer; without one it is its turn to be sent. Returns whether that was the last. */
  execute(packet: AnswerPacket | undefined, line: CommandLine): boolean;
}

export interface AnswerPacket extends PacketBytes {
  isError(): boolean;
  isEOF(): boolean;
  /** Of the end of the columns or rows. */
  eofStatusFlags(): number;
  asError(encoding: string): Error;
}

/** A packet to be sent: four bytes for its head, then its payload. mysql2 may split it by its length. */
export interface RequestPacket {
  readonly buffer: Buffer;
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** A connection of mysql2's, whose line of commands it is. */
export interface CommandLine {
  addCommand: (command: Command) => Command;
  /** What the server offered at the login. */
  readonly serverCapabilityFlags: number;
  readonly _mariadbExtendedMetadata: boolean;
  writePacket(packet: RequestPacket): void;
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
}

export function commandLineOf(connection: Connection): CommandLine {
  assert(isCommandLine(connection), 'a driver that sends commands in another way');
  return connection;
}

const METHODS = ['addCommand', 'writePacket', '_resetSequenceId', '_bumpSequenceId'];

function isCommandLine(connection: object): connection is CommandLine {
  return (
    METHODS.every((name) => typeof Reflect.get(connection, name) === 'function') &&
    typeof Reflect.get(connection, 'serverCapabilityFlags') === 'number' &&
    typeof Reflect.get(connection, '_mariadbExtendedMetadata') === 'boolean'
  );
}

/** Capability CLIENT_SESSION_TRACK. */
const SESSION_TRACK = 0x0080_0000;

/** Whether OK packets hold what the session trackers report. */
export function tracksSession({ serverCapabilityFlags }: CommandLine): boolean {
  return (serverCapabilityFlags & SESSION_TRACK) !== 0;
}
