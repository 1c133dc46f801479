import { expect, test } from 'vitest';
import { EmfReport } from '../../../lib/broker/observability/emf.ts';
import { useBroker } from '../../support/use-broker.ts';

const DOWN = { port: 1 };

const { broker } = await useBroker({ databases: { down: DOWN } });

interface EmfLine {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly database?: string;
  readonly [name: string]: unknown;
}

async function linesOf(report: EmfReport): Promise<Map<string | undefined, EmfLine>> {
  const lines = (await report.lines(1_000)).map((line): EmfLine => JSON.parse(line));
  return new Map(lines.map((line) => [line.database, line]));
}

const report = new EmfReport(broker.broker.metrics.registry, 'shop-prod');

test('a line for each database and one for all tell what grew, and what the samples saw', async () => {
  const held = await broker.broker.pools.get('default').pool.checkout();
  await report.sample();
  held.checkin();
  await report.sample();
  await broker.post('/v1/databases/down/query', { sql: 'SELECT 1' });
  const lines = await linesOf(report);

  expect([...lines.keys()].sort()).toEqual(['default', 'down', undefined]);
  expect(lines.get('default')).toMatchObject({ service: 'shop-prod', broker_pool_busy_ratio: [0.05, 0] });
  expect(lines.get('down')).toMatchObject({
    broker_pool_busy_ratio: [0, 0],
    broker_server_errors_total: [1],
  });
  expect(lines.get(undefined)).toMatchObject({
    broker_pool_busy_ratio: [0.05, 0],
    broker_server_errors_total: [1],
  });
});

test('a counter that has not moved is 0 in the next line', async () => {
  expect((await linesOf(report)).get('down')).toMatchObject({ broker_server_errors_total: [0] });
});

test('every line declares the metrics that it holds, under names of /metrics', async () => {
  await report.sample();
  const metricsText = await (await fetch(`${broker.url}/metrics`)).text();

  for (const [database, line] of await linesOf(report)) {
    const [directive] = line._aws.CloudWatchMetrics;
    expect(directive?.Namespace).toBe('serverless-conn-pool');
    expect(directive?.Dimensions).toEqual([database === undefined ? ['service'] : ['service', 'database']]);
    const names = directive?.Metrics.map(({ Name }) => Name) ?? [];
    expect(names).toContain('broker_pool_waiting');
    for (const name of names) {
      expect(line[name], name).toEqual([expect.any(Number)]);
      expect(metricsText, name).toContain(`# TYPE ${name} `);
    }
  }
});
