import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, createConnection, type Connection as DriverConnection } from 'mysql2';
import type { ServerAddress, ServerLogin } from '../../credentials/login.ts';
import { assert } from '../../errors.ts';
import { within } from '../../pool/connection.ts';
import { connectFailure, isRefusedLogin } from '../connect-errors.ts';
import type { Flavour } from '../errors.ts';
import { tlsFailureOf } from '../tls-errors.ts';
import type { Encryption, TlsOptions } from './tls.ts';

/** A login by mysql2, and its socket: mysql2 itself only half-closes a connection that it destroys. */
export interface Driver {
  readonly connection: DriverConnection;
  readonly socket: Socket;
  /** With the host's address that answered. */
  readonly address: ServerAddress;
  readonly flavour: Flavour;
  /** Resolves when the connection is closed on both sides. */
  readonly closed: Promise<void>;
}

/** The protocol variant that `TextQuery` speaks. */
const PROTOCOL_FLAGS = ['SESSION_TRACK', '-DEPRECATE_EOF', '-CLIENT_QUERY_ATTRIBUTES'];

/**
 * Opens a connection and logs in.
 *
 * @param address Replaces the login's host and port, but the certificate must still be for that host.
 * @throws {BrokerError} DATABASE_UNREACHABLE or CREDENTIALS_REFUSED.
 */
export async function openDriver(
  login: ServerLogin,
  encryption: Encryption,
  timeoutMs: number,
  address: ServerAddress = login,
): Promise<Driver> {
  const tls = await encryption(login.host);
  const socket = openSocket(address, tls === undefined);
  // Node verifies the certificate for this name. For an IP address it would use `localhost`.
  Object.assign(socket, { _host: login.host });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  const isForeign = checkFirstBytes(socket);
  const connection = createConnection({
    stream: () => socket,
    // The name that the certificate must have; the socket is open already.
    host: tls?.serverName ?? login.host,
    port: login.port,
    user: login.username,
    ...passwordOf(login, tls),
    ...(login.database === undefined ? {} : { database: login.database }),
    // Not mysql2's: it ignores an answer that arrived while this process was busy.
    connectTimeout: 0,
    // Every server knows this collation; the session statement sets the server's own default.
    charset: 'UTF8MB4_GENERAL_CI',
    // IGNORE_SPACE would set a mode in new sessions that reset ones do not have.
    flags: ['-IGNORE_SPACE', '-LOCAL_FILES', '-ODBC', ...PROTOCOL_FLAGS],
    // The broker prepares none, and mysql2's cache of 16,000 takes half a megabyte.
    maxPreparedStatements: 1,
    ...(tls === undefined ? {} : { ssl: tls.options }),
  });
  // mysql2 may emit several errors, and an 'error' event without a listener ends the process.
  connection.on('error', () => undefined);
  try {
    const loggedIn = new Promise<Flavour>((resolve, reject) => {
      connection.once('connect', (greeting: unknown) => resolve(flavourOf(greeting)));
      connection.once('error', reject);
    });
    const flavour = await within(timeoutMs, loggedIn);
    const reached = { host: socket.remoteAddress ?? address.host, port: address.port };
    return { connection, socket, address: reached, flavour, closed };
  } catch (error) {
    socket.destroy();
    const failure = error instanceof Error ? error : new Error(String(error));
    const stream = 'stream' in connection ? connection.stream : undefined;
    const refusal = connectFailure(failure, isForeign() ? 'not_mysql' : tlsFailureOf(failure, stream, tls));
    throw login.isToken === true && isRefusedLogin(refusal)
      ? refusal.with({ reason: TOKEN_REFUSED })
      : refusal;
  }
}

/** By default Node allocates 64 KB per read. One shared buffer is safe: it is filled and copied synchronously. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

/** `plain` sockets share one read buffer, and emit a copy of what they read. */
function openSocket({ host, port }: ServerAddress, plain: boolean): Socket {
  const callback = (bytes: number): boolean => {
    socket.emit('data', Buffer.from(READ_BUFFER.subarray(0, bytes)));
    // False would stop reading.
    return true;
  };
  const onread = { buffer: READ_BUFFER, callback };
  const socket = connectSocket({ host, port, noDelay: true, keepAlive: true, ...(plain && { onread }) });
  return socket;
}

/** The returned function says whether the first bytes are not MySQL's protocol. */
function checkFirstBytes(socket: Socket): () => boolean {
  let isForeign = false;
  socket.once('data', (beginning: Buffer) => {
    isForeign = !mayBeGreeting(beginning);
  });
  return () => isForeign;
}

/** The first packet has the number 0, and is a greeting (protocol version 10) or an error. */
function mayBeGreeting(beginning: Buffer): boolean {
  const [, , , sequence = 0, kind = PROTOCOL_VERSION] = beginning;
  return sequence === 0 && (kind === PROTOCOL_VERSION || kind === ERROR_PACKET);
}

const PROTOCOL_VERSION = 10;
const ERROR_PACKET = 0xff;

const TOKEN_REFUSED =
  "the server did not take the token: the broker's role needs rds-db:connect for this user, and the user needs RDS IAM authentication";

/** A token is sent in clear, once the server has shown its certificate and requested it. */
function passwordOf(
  { password, isToken }: ServerLogin,
  tls: TlsOptions | undefined,
): Pick<ConnectionOptions, 'password' | 'authPlugins'> {
  if (isToken !== true) return { password };
  assert(tls?.options.rejectUnauthorized === true, 'a token without verified TLS passed the settings');
  return { authPlugins: { mysql_clear_password: () => () => Buffer.from(`${password}\0`) } };
}

/** By the version in the server's greeting. */
function flavourOf(greeting: unknown): Flavour {
  if (typeof greeting !== 'object' || greeting === null || !('serverVersion' in greeting)) return 'mysql';
  return /mariadb/i.test(String(greeting.serverVersion)) ? 'mariadb' : 'mysql';
}
