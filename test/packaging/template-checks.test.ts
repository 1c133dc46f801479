import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { checkTemplate } from '../../infra/deployment/checks/check-template.ts';
import { planDeployment } from '../../infra/deployment/plan.ts';
import type { Template } from '../../infra/deployment/template.ts';
import { templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { PROJECT } from '../support/project.ts';
import { argumentsOf, MODES, PROD, propertiesOf } from './support/deployment-modes.ts';

/** The validator alone takes seconds, and many on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const LIB = path.join(PROJECT, 'lib');

let template: Template;
/** Of the settings that the template is made from. */
let plan: Awaited<ReturnType<typeof planDeployment>>;

beforeAll(async () => {
  const serverlessYml = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
  const { params } = parse(serverlessYml, { logLevel: 'silent' });
  const settings = path.join(PROJECT, params.default.settings);
  plan = await planDeployment({ ...params.default, ...params.prod, settings, imageTag: '1' });
  template = await templateOf(await sharedService(argumentsOf(MODES[PROD])));
});

/** The template with another value in the place of one. */
function withFault(fault: (properties: Record<string, unknown>) => void, logicalId: string): Template {
  const properties = { ...propertiesOf(template, logicalId) };
  fault(properties);
  const resource = { Type: template.Resources[logicalId]?.Type ?? '', Properties: properties };
  return { ...template, Resources: { ...template.Resources, [logicalId]: resource } };
}

test('a wrong property is refused with the right one', async () => {
  const faulty = withFault((properties) => Object.assign(properties, { DesiredCounts: 2 }), 'BrokerService');
  await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(/BrokerService: .*DesiredCount/);
});

test('a permission that the code needs and the role lacks is refused with its name', async () => {
  const faulty = withFault((properties) => Object.assign(properties, { Policies: [] }), 'BrokerTaskRole');
  await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(
    /BrokerTaskRole: .*secrets-\w+\.ts calls secretsmanager:GetSecretValue, which it does not allow\. Add it to infra\/deployment\/task-permissions\.ts/,
  );
});

test('a permission that no code asks for is refused', async () => {
  const statement = { Effect: 'Allow', Action: 'secretsmanager:DeleteSecret', Resource: '*' };
  const policy = { PolicyName: 'more', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } };
  const faulty = withFault(
    (properties) => Object.assign(properties, { Policies: [...[properties.Policies].flat(), policy] }),
    'SqlFunctionRole',
  );
  await expect(checkTemplate(faulty, LIB, plan)).rejects.toThrow(
    'SqlFunctionRole: allows secretsmanager:DeleteSecret, which no code asks for.',
  );
});
