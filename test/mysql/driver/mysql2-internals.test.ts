import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Command,
  type Internals,
  internalsOf,
  packetParserOf,
  tracksSession,
} from '../../../lib/mysql/driver/mysql2-internals.ts';
import { type Driver, openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

// Every private member of mysql2 that lib/mysql/driver uses: present, and of the same meaning in the installed version.

let database: TestDatabase;
let driver: Driver;
let internals: Internals;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const { user: username, password, database: name } = database.app;
  const login = { host, port, username, password, database: name, versionId: '1' };
  driver = await openDriver(login, async () => undefined, 5_000);
  internals = internalsOf(driver.connection);
});

afterAll(async () => {
  driver.connection.end();
  await driver.closed;
  await database.stop();
});

interface Response {
  /** The bytes of packets that are neither an end nor an error. */
  readonly packets: Buffer[];
  /** Status flags of the packets that end columns or rows. */
  readonly ends: number[];
  error: Error | undefined;
}

/** Runs COM_QUERY as a command of ours. A result set ends with its second EOF packet. */
async function run(sql: string, onPacket: (command: Command) => void = () => undefined): Promise<Response> {
  const response: Response = { packets: [], ends: [], error: undefined };
  const head = 4;
  const buffer = Buffer.concat([Buffer.alloc(head), Buffer.from([3]), Buffer.from(sql)]);
  await new Promise<void>((resolve) => {
    const command: Command & { next: unknown } = {
      next: null,
      start: (_packet, connection) => {
        connection.writePacket({
          buffer,
          length: () => buffer.length - head + 1,
          writeHeader: (sequenceId) => {
            buffer.writeUIntLE(buffer.length - head, 0, 3);
            buffer[3] = sequenceId;
          },
        });
        return 'response';
      },
      execute(packet, connection) {
        if (packet === undefined) {
          connection._resetSequenceId();
          command.next = command.start(undefined, connection);
          return false;
        }
        onPacket(command);
        if (packet.isError()) response.error = packet.asError('utf8');
        else if (packet.isEOF()) response.ends.push(packet.eofStatusFlags());
        else response.packets.push(Buffer.from(packet.buffer.subarray(packet.offset, packet.end)));
        const isLast = response.error !== undefined || response.ends.length === 2;
        if (isLast) resolve();
        return isLast;
      },
    };
    internals.addCommand(command);
  });
  return response;
}

test('a command gets each packet of its response, and is the current one meanwhile', async () => {
  let isCurrent = true;
  const { packets, ends } = await run("SELECT 'x' AS a", (command) => {
    isCurrent &&= internals._command === command;
  });

  const [count, , row] = packets;
  expect(packets).toHaveLength(3);
  expect(count).toEqual(Buffer.from([1]));
  expect(row).toEqual(Buffer.from([1, 'x'.charCodeAt(0)]));
  expect(ends.map((flags) => flags & AUTOCOMMIT)).toEqual([AUTOCOMMIT, AUTOCOMMIT]);
  expect(isCurrent).toBe(true);
  await new Promise(setImmediate);
  expect(internals._command).toBeUndefined();
});

const AUTOCOMMIT = 2;

test('an error packet becomes an error with its number and SQL state', async () => {
  expect((await run('SELEC')).error).toMatchObject({ errno: 1064, sqlState: '42000' });
});

test('the parser says how much of a packet has come, and where it stands', async () => {
  const bytes = 2_000_000;
  const parser = packetParserOf(internals);
  const lengths = new Set<number>();
  let isConsistent = true;
  internals.packetParser = {
    execute: (chunk) => {
      parser.execute(chunk);
      if (parser.execute !== parser.executePayload) return;
      lengths.add(parser.length);
      const buffered = parser.buffer.reduce((sum, part) => sum + part.length, 0);
      isConsistent &&= buffered === parser.bufferLength && buffered <= parser.length + 1;
    },
  };
  try {
    await run(`SELECT REPEAT('x', ${bytes})`);
  } finally {
    internals.packetParser = parser;
  }

  // The cell's length takes four bytes.
  expect(lengths).toContain(bytes + 4);
  expect(isConsistent).toBe(true);
  expect(parser.largePacketParts).toEqual([]);
  expect(parser.execute).toBe(parser.executeStart);
});

test('packets that come while the connection is paused are queued', async () => {
  let queued = 0;
  const response = await run('SELECT 1', () => {
    if (queued > 0) return;
    driver.connection.pause();
    setImmediate(() => {
      queued = internals._paused_packets.length;
      driver.connection.resume();
    });
    queued = -1;
  });

  expect(queued).toBeGreaterThan(0);
  expect(response.ends).toHaveLength(2);
});

test('the login has agreed on what responses are read by', () => {
  expect(tracksSession(internals)).toBe(true);
  expect(internals._mariadbExtendedMetadata).toBe(driver.flavour === 'mariadb');
});

test('a missing member is noticed at the login', () => {
  const connection = Object.create(driver.connection, { _resetSequenceId: { value: undefined } });
  expect(() => internalsOf(connection)).toThrow('a driver that sends commands in another way');
  const parser = Object.assign(Object.create(packetParserOf(internals)), { bufferLength: undefined });
  const other = Object.create(driver.connection, { packetParser: { value: parser } });
  expect(() => packetParserOf(internalsOf(other))).toThrow('a driver that puts packets together');
});
