import { connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, createConnection, type Connection as DriverConnection } from 'mysql2';
import type { ServerLogin } from '../../credentials/login.ts';
import { assert } from '../../errors.ts';
import { within } from '../../pool/connection.ts';
import { connectFailure, isRefusedLogin } from '../connect-errors.ts';
import type { Flavour } from '../errors.ts';
import { tlsFailureOf } from '../tls-errors.ts';
import type { Encryption, TlsOptions } from './tls.ts';

/** Where a connection has come to: of a name's addresses, the one that answered. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** A login over mysql2, with its socket at hand: mysql2 itself only half-closes what it destroys. */
export interface Driver {
  readonly connection: DriverConnection;
  readonly socket: Socket;
  readonly address: ServerAddress;
  readonly flavour: Flavour;
  /** Resolves when the peer has let go of the connection. */
  readonly closed: Promise<void>;
}

/** What statements and their answers look like: see `TextQuery`. */
const AS_WE_SPEAK = ['SESSION_TRACK', '-DEPRECATE_EOF', '-CLIENT_QUERY_ATTRIBUTES'];

/**
 * Opens a connection and logs in.
 *
 * @param address Where to go instead of the login's host and port, which the certificate is still to be for.
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
  // The name that Node checks the certificate for; on the sockets of IP addresses it leaves it out, and takes `localhost`.
  Object.assign(socket, { _host: login.host });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  const isForeign = watchBeginning(socket);
  const connection = createConnection({
    stream: () => socket,
    // Whose name the certificate must bear; the socket is there already.
    host: tls?.serverName ?? login.host,
    port: login.port,
    user: login.username,
    ...passwordOf(login, tls),
    ...(login.database === undefined ? {} : { database: login.database }),
    // None of mysql2's own: it takes an answer that the process was too busy to read for none.
    connectTimeout: 0,
    // Every server knows this collation; the session statement asks for the server's own default.
    charset: 'UTF8MB4_GENERAL_CI',
    // IGNORE_SPACE would put a mode into fresh sessions that reset ones do not have.
    flags: ['-IGNORE_SPACE', '-LOCAL_FILES', '-ODBC', ...AS_WE_SPEAK],
    // We prepare none, and mysql2 takes half a megabyte for the 16,000 that it would keep.
    maxPreparedStatements: 1,
    ...(tls === undefined ? {} : { ssl: tls.options }),
  });
  // mysql2 may report an error more than once, and an 'error' event that nobody hears ends the process.
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

/** A socket that is `plain` reads into one buffer with all others, and hands on a copy of what came. */
function openSocket({ host, port }: ServerAddress, plain: boolean): Socket {
  const callback = (bytes: number): boolean => {
    socket.emit('data', Buffer.from(READ_BUFFER.subarray(0, bytes)));
    // False would stop it.
    return true;
  };
  const onread = { buffer: READ_BUFFER, callback };
  const socket = connectSocket({ host, port, noDelay: true, keepAlive: true, ...(plain && { onread }) });
  return socket;
}

/** Whether what the peer began with is not MySQL's protocol, as far as it has come. */
function watchBeginning(socket: Socket): () => boolean {
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

/** A token goes to the server as it is, once the server has shown its certificate and asked for it. */
function passwordOf(
  { password, isToken }: ServerLogin,
  tls: TlsOptions | undefined,
): Pick<ConnectionOptions, 'password' | 'authPlugins'> {
  if (isToken !== true) return { password };
  assert(tls?.options.rejectUnauthorized === true, 'a token without verified TLS passed the settings');
  return { authPlugins: { mysql_clear_password: () => () => Buffer.from(`${password}\0`) } };
}

/** The server's greeting names its version; MariaDB's says so. */
function flavourOf(greeting: unknown): Flavour {
  if (typeof greeting !== 'object' || greeting === null || !('serverVersion' in greeting)) return 'mysql';
  return /mariadb/i.test(String(greeting.serverVersion)) ? 'mariadb' : 'mysql';
}
