import type { Registry } from 'prom-client';

const NAMESPACE = 'serverless-conn-pool';
const SAMPLE_INTERVAL_MS = 5_000;
const SAMPLES_PER_REPORT = 12;

type Unit = 'Count' | 'None';
type Total = (values: readonly number[]) => number;

interface EmfMetric {
  readonly name: string;
  readonly unit: Unit;
  /** Combines the values of all databases. */
  readonly total: Total;
}

const sum: Total = (values) => values.reduce((all, value) => all + value, 0);
const greatest: Total = (values) => Math.max(0, ...values);

/** CloudWatch charges for each metric and database, so only those that scaling and alarms need. */
const EMF_METRICS: readonly EmfMetric[] = [
  { name: 'broker_pool_busy_ratio', unit: 'None', total: greatest },
  { name: 'broker_pool_connections', unit: 'Count', total: sum },
  { name: 'broker_pool_waiting', unit: 'Count', total: sum },
  { name: 'broker_checkout_timeouts_total', unit: 'Count', total: sum },
  { name: 'broker_logins_refused_total', unit: 'Count', total: sum },
  { name: 'broker_server_errors_total', unit: 'Count', total: sum },
];

/** Stands for all databases. No alias has this name. */
const ALL = '*';

/**
 * Writes metrics of /metrics under their names as CloudWatch's embedded metric format: each minute a line for every
 * database, and one for all. A gauge has its samples, a counter its increase. The returned function stops, and writes
 * what is left.
 *
 * @param service Dimension of all metrics, common to the tasks of one broker.
 */
export function startEmf(
  registry: Registry,
  service: string,
  write: (line: string) => void,
): () => Promise<void> {
  const report = new EmfReport(registry, service);
  let samples = 0;
  const timer = setInterval(() => void onSample(), SAMPLE_INTERVAL_MS);
  timer.unref();

  async function onSample(): Promise<void> {
    await report.sample();
    samples += 1;
    if (samples % SAMPLES_PER_REPORT === 0) await writeReport();
  }

  async function writeReport(): Promise<void> {
    for (const line of await report.lines(Date.now())) write(`${line}\n`);
  }

  return async () => {
    clearInterval(timer);
    await writeReport();
  };
}

/** Samples and increments since the last report. */
export class EmfReport {
  readonly #registry: Registry;
  readonly #service: string;
  /** Samples and increments by database, then by metric. */
  #values = new Map<string, Map<string, number[]>>();
  /** Each counter's value at the last report, by metric and database. */
  readonly #lastCounts = new Map<string, number>();

  constructor(registry: Registry, service: string) {
    this.#registry = registry;
    this.#service = service;
  }

  /** Samples the gauges. */
  async sample(): Promise<void> {
    await this.#read('gauge', (_series, value) => value);
  }

  /** The lines of the report. The next one begins here. */
  async lines(timestampMs: number): Promise<string[]> {
    await this.#read('counter', (series, value) => {
      const before = this.#lastCounts.get(series) ?? 0;
      this.#lastCounts.set(series, value);
      return value - before;
    });
    const lines = [...this.#values].map(([database, values]) => this.#line(database, values, timestampMs));
    this.#values = new Map();
    return lines;
  }

  async #read(kind: 'gauge' | 'counter', note: (series: string, value: number) => number): Promise<void> {
    for (const { name, total } of EMF_METRICS) {
      const metric = await this.#registry.getSingleMetric(name)?.get();
      if (metric === undefined || String(metric.type) !== kind) continue;
      const byDatabase = metric.values.map(({ labels, value }) => [String(labels.database), value] as const);
      for (const [database, value] of [
        ...byDatabase,
        [ALL, total(byDatabase.map(([, of]) => of))] as const,
      ]) {
        // Requests that named no known database count only in the total.
        if (database !== '') this.#add(database, name, note(`${name} ${database}`, value));
      }
    }
  }

  #add(database: string, metric: string, value: number): void {
    const values = this.#values.get(database) ?? new Map<string, number[]>();
    this.#values.set(database, values.set(metric, [...(values.get(metric) ?? []), value]));
  }

  #line(database: string, values: ReadonlyMap<string, readonly number[]>, timestampMs: number): string {
    const dimensions = { service: this.#service, ...(database !== ALL && { database }) };
    return JSON.stringify({
      _aws: {
        Timestamp: timestampMs,
        CloudWatchMetrics: [
          {
            Namespace: NAMESPACE,
            Dimensions: [Object.keys(dimensions)],
            Metrics: EMF_METRICS.filter(({ name }) => values.has(name)).map(({ name, unit }) => ({
              Name: name,
              Unit: unit,
            })),
          },
        ],
      },
      ...dimensions,
      ...Object.fromEntries(values),
    });
  }
}
