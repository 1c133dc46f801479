import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateFiles } from '../../../support/certificates.ts';

/** A statement, and the password of the login that sent it. */
interface Told {
  readonly sql: string;
  readonly token: string;
}

/**
 * MySQL's protocol as far as logins by token need it. It answers who it is and whose a thread is, as MySQL does, and
 * every other statement without rows.
 */
export class TokenServer implements AsyncDisposable {
  /** What it was told as passwords, in order: nothing but what came over TLS. */
  readonly tokens: string[] = [];
  /** In order. It never answers `HANG`. */
  readonly statements: Told[] = [];
  /** How many of the next logins it refuses. */
  refusals = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The address that each thread comes from. */
  readonly #threads = new Map<number, string>();
  readonly #startedAtMs = performance.now();

  private constructor(certificate: CertificateFiles) {
    const tls = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key), isServer: true };
    this.#server = createServer((plain) => {
      this.#sockets.add(plain);
      plain.on('error', () => plain.destroy());
      const threadId = this.#sockets.size;
      this.#threads.set(threadId, `${plain.remoteAddress}:${plain.remotePort}`);
      send(plain, 0, greeting(threadId));
      plain.once('readable', () => {
        plain.read(TLS_REQUEST_BYTES);
        const socket = new TLSSocket(plain, tls);
        socket.on('error', () => plain.destroy());
        const client: Client = { socket, threadId, token: '' };
        onPackets(socket, (sequence, packet) => this.#answer(client, sequence, packet));
      });
    });
  }

  static async start(certificate: CertificateFiles): Promise<TokenServer> {
    const server = new TokenServer(certificate);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(client: Client, sequence: number, packet: Buffer): void {
    if (sequence === 2) send(client.socket, 3, ASK_FOR_TOKEN);
    else if (sequence === 4) this.#judge(client, packet.toString('utf8', 0, packet.length - 1));
    else if (packet[0] === COMMAND.quit) client.socket.end();
    else if (packet[0] === COMMAND.query) this.#run(client, packet.toString('utf8', 1));
    else send(client.socket, 1, OK);
  }

  #judge(client: Client, token: string): void {
    client.token = token;
    this.tokens.push(token);
    send(client.socket, 5, this.refusals > 0 ? ACCESS_DENIED : OK);
    this.refusals -= 1;
  }

  #run({ socket, threadId, token }: Client, sql: string): void {
    this.statements.push({ sql, token });
    const asked = /PROCESSLIST WHERE ID = (?:(\d+)|CONNECTION_ID\(\))/.exec(sql);
    if (asked !== null) {
      const columns = [String(threadId), 'this server', this.#threads.get(Number(asked[1] ?? threadId))];
      sendRow(socket, sql.includes("'Uptime'") ? [...columns, this.#uptimeSeconds] : columns);
    } else if (!sql.startsWith('HANG')) send(socket, 1, OK);
  }

  get #uptimeSeconds(): string {
    return String(Math.floor((performance.now() - this.#startedAtMs) / 1_000));
  }
}

interface Client {
  readonly socket: Socket;
  readonly threadId: number;
  token: string;
}

const COMMAND = { quit: 1, query: 3 } as const;

/** What a client asks for TLS with. The first bytes of TLS itself may have come with it. */
const TLS_REQUEST_BYTES = 36;
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);
const NULL = Buffer.from([0xfb]);
/** A column's type. */
const VAR_STRING = 0xfd;
const ACCESS_DENIED = Buffer.from('\xff\x15\x04#28000Access denied', 'latin1');
const ASK_FOR_TOKEN = Buffer.from('\xfemysql_clear_password\0', 'latin1');

/** CONNECT_WITH_DB, PROTOCOL_41, SSL, TRANSACTIONS, SECURE_CONNECTION and PLUGIN_AUTH. */
const CAPABILITIES = 0x08_aa_09;

function greeting(threadId: number): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt32LE(threadId);
  const flags = Buffer.alloc(8);
  flags.writeUInt16LE(CAPABILITIES & 0xffff, 0);
  flags.writeUInt8(45, 2);
  flags.writeUInt16LE(2, 3);
  flags.writeUInt16LE(CAPABILITIES >> 16, 5);
  flags.writeUInt8(21, 7);
  const text = (value: string) => Buffer.from(`${value}\0`);
  return Buffer.concat([
    Buffer.from([10]),
    text('8.0.40'),
    numbers,
    text('saltsalt'),
    flags,
    Buffer.alloc(10),
    text('saltsaltsalt'),
    text('mysql_native_password'),
  ]);
}

function send(socket: Socket, sequence: number, packet: Buffer): void {
  const header = Buffer.alloc(4);
  header.writeUIntLE(packet.length, 0, 3);
  header.writeUInt8(sequence, 3);
  socket.write(Buffer.concat([header, packet]));
}

/** A result of one row of strings, as the text protocol sends it. */
function sendRow(socket: Socket, values: readonly (string | undefined)[]): void {
  const column = Buffer.concat([
    ...['def', '', '', '', 'column', ''].map(lengthEncoded),
    Buffer.from([12, 45, 0, 0, 1, 0, 0, VAR_STRING, 0, 0, 0, 0, 0]),
  ]);
  const row = values.map((value) => (value === undefined ? NULL : lengthEncoded(value)));
  const packets = [Buffer.from([values.length]), ...values.map(() => column), EOF, Buffer.concat(row), EOF];
  for (const [index, packet] of packets.entries()) send(socket, index + 1, packet);
}

/** Of a string shorter than 251 bytes. */
function lengthEncoded(value: string): Buffer {
  return Buffer.from(`${String.fromCharCode(value.length)}${value}`, 'latin1');
}

function onPackets(socket: Socket, take: (sequence: number, packet: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUIntLE(0, 3)) {
      const end = 4 + rest.readUIntLE(0, 3);
      take(rest.readUInt8(3), rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  });
}
