import * as z from 'zod';
import { type Check, checkOf, entriesOf, inEach } from '../../../lib/settings/checks/check.ts';
import { pathText } from '../../../lib/settings/problems.ts';
import { MYSQL_PORT } from '../../../lib/settings/servers.ts';
import { CallerSettings } from '../../../lib/settings/settings.ts';
import type { Parameters } from '../parameters.ts';
import { isSameSecret } from '../secret-arn.ts';

/** Of infra/examples/settings.yaml. */
export const EXAMPLE_HOST = 'shop.cluster-abc.eu-west-1.rds.amazonaws.com';
/** Names that lead nowhere for ever (RFC 2606). */
const RESERVED_HOST = /(^|\.)(example|invalid|test|example\.(com|net|org))$/i;

const NO_FILE = 'on Fargate, where the image has no file of yours';

const Files = z.object({ credentials: z.object({ file: z.unknown() }) });
const Ca = z.object({ tls: z.object({ ca: z.unknown() }) });
const ServerTls = z.object({ server: z.object({ tls: z.object({}) }) });

const readsNoCredentialsFile = checkOf(Files, (_, path) => [
  `${pathText([...path, 'credentials'])}: found {file}, allowed {secretId} or {iam: {username}} ${NO_FILE}`,
]);
const readsNoCaFile = checkOf(Ca, (_, path) => [
  `${pathText([...path, 'tls'])}: found {ca}, allowed verify, skip-verify or off ${NO_FILE}`,
]);
const readsNoCertificate = checkOf(ServerTls, () => [
  `server.tls: found files, allowed nothing ${NO_FILE}; HTTPS comes with ingress=alb and certificateArn`,
]);

/** What the settings of a deployment may not say, or not beside these parameters. */
export function fargateChecks(parameters: Parameters): readonly Check[] {
  return [
    inEach('databases', readsNoCredentialsFile),
    inEach('databases', readsNoCaFile),
    readsNoCertificate,
    portsAreTheOneOfTheParameters(parameters),
    functionsHaveACaller(parameters),
  ];
}

/** Before AWS is asked: what was copied and not filled in. In an offline package it does no harm. */
export const hostsAreFilledIn = inEach(
  'databases',
  checkOf(z.object({ host: z.string() }), ({ host }, path) =>
    host.toLowerCase() === EXAMPLE_HOST || RESERVED_HOST.test(host)
      ? [
          `settings: found ${pathText([...path, 'host'])} ${host}, which stands in an example, allowed your database's host: --param settings=FILE`,
        ]
      : [],
  ),
);

const Endpoint = z.object({ port: z.int().optional(), credentials: z.record(z.string(), z.unknown()) });

/** Tasks may connect to no other. A port that only a secret tells cannot be looked at here. */
function portsAreTheOneOfTheParameters({ databasePort }: Parameters): Check {
  return inEach(
    'databases',
    checkOf(Endpoint, ({ port, credentials }, path) => {
      const stated = port ?? (Object.hasOwn(credentials, 'secretId') ? undefined : MYSQL_PORT);
      if (stated === undefined || stated === databasePort) return [];
      return [
        `databasePort: found ${databasePort}, but ${pathText([...path, 'port'])} is ${stated}, allowed one port, of all databases: --param databasePort=${stated}`,
      ];
    }),
  );
}

const Key = CallerSettings.pick({ keySha256: true, keySecret: true, access: true }).strip();

/** The functions ask with keys from secrets. A caller with the hash of a key may be any of them. */
function functionsHaveACaller({ brokerKeySecret, adminKeySecret }: Parameters): Check {
  return (document) => {
    const callers = entriesOf(document, 'callers').map(([, caller]) => Key.safeParse(caller).data);
    // Some caller has problems of its own.
    if (callers.length === 0 || callers.includes(undefined)) return [];
    const holds = (secretId: string, isAdmin: boolean) =>
      callers.some(
        (caller) =>
          (!isAdmin || caller?.access === 'admin') &&
          (caller?.keySha256 !== undefined ||
            (caller?.keySecret !== undefined && isSameSecret(caller.keySecret, secretId))),
      );
    return [
      ...(holds(brokerKeySecret, false)
        ? []
        : [
            `brokerKeySecret: found ${brokerKeySecret}, which is the keySecret of no caller in the settings, allowed one that is: the functions ask with this key`,
          ]),
      ...(holds(adminKeySecret, true)
        ? []
        : [
            `adminKeySecret: found ${adminKeySecret}, which is the keySecret of no caller with access admin in the settings, allowed one that is: the functions of rotations ask with this key`,
          ]),
    ];
  };
}
