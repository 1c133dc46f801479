import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateFiles } from './certificates.ts';

/** MySQL's protocol as far as a login by token and statements without rows need it. */
export class TokenServer implements AsyncDisposable {
  /** What it was told as passwords, in order: nothing but what came over TLS. */
  readonly tokens: string[] = [];
  /** In order. It never answers `HANG`. */
  readonly statements: string[] = [];
  /** How many of the next logins it refuses. */
  refusals = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(certificate: CertificateFiles) {
    const tls = { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key), isServer: true };
    this.#server = createServer((plain) => {
      this.#sockets.add(plain);
      plain.on('error', () => plain.destroy());
      send(plain, 0, greeting(this.#sockets.size));
      plain.once('readable', () => {
        plain.read(TLS_REQUEST_BYTES);
        const socket = new TLSSocket(plain, tls);
        socket.on('error', () => plain.destroy());
        onPackets(socket, (sequence, packet) => this.#answer(socket, sequence, packet));
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

  #answer(socket: Socket, sequence: number, packet: Buffer): void {
    if (sequence === 2) send(socket, 3, ASK_FOR_TOKEN);
    else if (sequence === 4) this.#judge(socket, packet.toString('utf8', 0, packet.length - 1));
    else if (packet[0] === COMMAND.quit) socket.end();
    else if (packet[0] === COMMAND.query) this.#run(socket, packet.toString('utf8', 1));
    else send(socket, 1, OK);
  }

  #judge(socket: Socket, token: string): void {
    this.tokens.push(token);
    send(socket, 5, this.refusals > 0 ? ACCESS_DENIED : OK);
    this.refusals -= 1;
  }

  #run(socket: Socket, statement: string): void {
    this.statements.push(statement);
    if (!statement.startsWith('HANG')) send(socket, 1, OK);
  }
}

const COMMAND = { quit: 1, query: 3 } as const;

/** What a client asks for TLS with. The first bytes of TLS itself may have come with it. */
const TLS_REQUEST_BYTES = 36;
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
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
