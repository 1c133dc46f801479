import { BrokerError } from '../../errors.ts';
import { isRotationStep, RotationEvent } from '../../protocol/rotation.ts';
import { ROTATION_ROUTE } from '../../protocol/routes.ts';
import { Rotator } from '../../rotation/rotator.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import { type Call, replyOf } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { readBody } from '../requests/parse-body.ts';

/** `POST /v1/rotation/{step}`: does a step of the rotation of a secret in the settings, with the broker's rights. */
export function addRotationRoute(app: HttpApp, pools: PoolRegistry): void {
  const rotator = new Rotator();
  const handle = async (call: Call) => {
    const step = call.param('step');
    if (!isRotationStep(step)) throw new BrokerError('NOT_FOUND', 'There is no such step of a rotation');
    const event = readBody(RotationEvent, call.body);
    if (event.Step !== step)
      throw new BrokerError('INVALID_REQUEST', `Step must be ${step}, as the path says`);

    const databases = [...pools.all].filter((database) => secretIdOf(database, event.SecretId) !== undefined);
    const [first] = databases;
    if (first === undefined) throw new BrokerError('NOT_FOUND', 'The settings name no such secret');
    checkAccess(call, databases);
    await rotator.rotate(event, first.settings, secretIdOf(first, event.SecretId));
    if (step === 'finishSecret') await refreshCredentials(databases);
    return replyOf({});
  };
  app.addRoute({ method: 'POST', path: ROTATION_ROUTE, access: 'admin', handle });
}

/** The id of a database's secret as its settings spell it, if the event is about that secret. */
function secretIdOf({ settings: { credentials } }: Database, eventSecretId: string): string | undefined {
  if (!('secretId' in credentials)) return undefined;
  const { secretId } = credentials;
  const [, name] =
    /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}$/.exec(eventSecretId) ?? [];
  return secretId === eventSecretId || secretId === name ? secretId : undefined;
}

/** A rotation affects every alias that uses the secret. */
function checkAccess(call: Call, databases: readonly Database[]): void {
  for (const { alias } of databases) {
    call.alias ??= alias;
    if (mayUse(call.caller ?? { databases: [] }, alias)) continue;
    throw new BrokerError('FORBIDDEN', `The caller may not use database "${alias}", whose secret this is`);
  }
}

/** A failure is ignored: the rotation is done, and the credentials are fetched again later. */
async function refreshCredentials(databases: readonly Database[]): Promise<void> {
  await Promise.allSettled(databases.map(async ({ credentials }) => await credentials.refresh()));
}
