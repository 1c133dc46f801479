import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { PROJECT } from '../../../support/project.ts';

interface TaskContainer {
  readonly User: string;
  readonly PortMappings: readonly { readonly ContainerPort: number }[];
  readonly HealthCheck: {
    readonly Command: readonly string[];
    readonly Interval: number;
    readonly Timeout: number;
    readonly Retries: number;
    readonly StartPeriod: number;
  };
}

/** The broker's container as infra/cloudformation/broker.yml states it. */
export async function readTaskContainer(): Promise<TaskContainer> {
  const text = await readFile(path.join(PROJECT, 'infra/cloudformation/broker.yml'), 'utf8');
  // CloudFormation's own tags are of no interest here.
  const { Resources } = parse(text, { logLevel: 'silent' });
  return Resources.BrokerTask.Properties.ContainerDefinitions[0];
}
