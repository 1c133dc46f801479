import { BrokerError } from '../../errors.ts';
import { isRotationStep, RotationEvent } from '../../protocol/rotation.ts';
import { ROTATION_ROUTE } from '../../protocol/routes.ts';
import { Rotator } from '../../rotation/rotator.ts';
import { mayUse } from '../checks/authenticate.ts';
import type { Database, PoolRegistry } from '../databases/pool-registry.ts';
import type { Call } from '../http/call.ts';
import type { HttpApp } from '../http/http-app.ts';
import { replyOf } from '../http/reply.ts';
import { readBody } from '../requests/parse-body.ts';

/** `POST /v1/rotation/{step}`: a step of the rotation of a secret that settings name, done with the broker's rights. */
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
    if (step === 'finishSecret') await lookAgain(databases);
    return replyOf({});
  };
  app.addRoute({ method: 'POST', path: ROTATION_ROUTE, access: 'admin', handle });
}

/** The secret of a database as its settings name it, if that is the one that the event is about. */
function secretIdOf({ settings: { credentials } }: Database, eventSecretId: string): string | undefined {
  if (!('secretId' in credentials)) return undefined;
  const { secretId } = credentials;
  const [, name] =
    /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)-[A-Za-z0-9]{6}$/.exec(eventSecretId) ?? [];
  return secretId === eventSecretId || secretId === name ? secretId : undefined;
}

/** A rotation touches every alias on the secret. */
function checkAccess(call: Call, databases: readonly Database[]): void {
  for (const { alias } of databases) {
    call.alias ??= alias;
    if (mayUse(call.caller ?? { databases: [] }, alias)) continue;
    throw new BrokerError('FORBIDDEN', `The caller may not use database "${alias}", whose secret this is`);
  }
}

/** The rotation is done, whatever comes of the look: it will be made again. */
async function lookAgain(databases: readonly Database[]): Promise<void> {
  await Promise.allSettled(databases.map(async ({ credentials }) => await credentials.refresh()));
}
