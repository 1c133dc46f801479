import * as z from 'zod';
import { choice, path, text } from './fields.ts';
import { line, SettingsError, schemaProblems } from './problems.ts';

const PORTS = 'an integer of 0 to 65535';
const PEERS = 'host:port, or several with commas between';

const Environment = z.object({
  BROKER_SETTINGS_FILE: path.optional(),
  BROKER_SETTINGS: z.string().optional(),
  BROKER_SETTINGS_SECRET: z.string().optional(),
  /** Address to listen on. */
  HOST: text(/^[\w.:%-]+$/, 'a host name or an IP address').default('0.0.0.0'),
  /** 0: any free port. */
  PORT: text(/^\d{1,5}$/, PORTS)
    .transform(Number)
    .refine((port) => port <= 65_535, PORTS)
    .default(8080),
  LOG_LEVEL: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  /** Most tasks that share the database servers at a time. */
  BROKER_PEAK_TASKS: text(/^[1-9]\d{0,5}$/, 'an integer of at least 1')
    .transform(Number)
    .default(1),
  /** The `service` dimension of all tasks' metrics in CloudWatch. */
  BROKER_EMF: text(/^[\w.-]{1,128}$/, 'a name of A-Z a-z 0-9 _ . -').optional(),
  /** The endpoints of the other tasks. */
  BROKER_PEERS: text(/^[\w.-]{1,253}:\d{1,5}(,[\w.-]{1,253}:\d{1,5})*$/, PEERS)
    .transform((peers) => peers.split(',').map(toEndpoint))
    .refine((peers) => peers.every(({ port }) => port > 0 && port <= 65_535), PEERS)
    .default([]),
});

export type LogLevel = z.infer<typeof Environment>['LOG_LEVEL'];

const SOURCES = ['BROKER_SETTINGS_FILE', 'BROKER_SETTINGS', 'BROKER_SETTINGS_SECRET'] as const;

/** The endpoint of other brokers: a host name may have an address for each. */
export interface PeerEndpoint {
  readonly host: string;
  readonly port: number;
}

/** The variable that holds the settings document or says where it is. */
export interface DocumentSource {
  readonly variable: (typeof SOURCES)[number];
  readonly value: string;
}

export interface BrokerEnvironment {
  readonly source: DocumentSource;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly peakTasks: number;
  /** Undefined: no metrics are written to standard output. */
  readonly emfService: string | undefined;
  readonly peers: readonly PeerEndpoint[];
}

/** Reads the broker's variables. An empty one counts as not set. */
export function parseEnvironment(variables: NodeJS.ProcessEnv): BrokerEnvironment {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const environment = Environment.safeParse(set);
  const sources = SOURCES.flatMap((variable) => {
    const value = set[variable];
    return value === undefined ? [] : [{ variable, value }];
  });
  const [source] = sources;
  const problems = environment.success ? [] : schemaProblems(environment.error, set);
  if (sources.length !== 1) {
    const found = source === undefined ? 'none' : sources.map(({ variable }) => variable).join(' and ');
    problems.push(line(['environment'], found, `exactly one of ${SOURCES.join(', ')}`));
  }
  if (!environment.success || source === undefined || problems.length > 0) throw new SettingsError(problems);
  const {
    HOST: host,
    PORT: port,
    LOG_LEVEL: logLevel,
    BROKER_PEAK_TASKS: peakTasks,
    BROKER_EMF: emfService,
    BROKER_PEERS: peers,
  } = environment.data;
  return { source, host, port, logLevel, peakTasks, emfService, peers };
}

function toEndpoint(peer: string): PeerEndpoint {
  const [host = '', port] = peer.split(':');
  return { host, port: Number(port) };
}

/** Only this machine can connect to such an address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}
