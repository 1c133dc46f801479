import { Counter, Gauge, type Registry } from 'prom-client';
import type { ByteBudget } from '../http/byte-budget.ts';

/** The figures of the budget for bodies and replies, read at each scrape. */
export function addBudgetMetrics(registry: Registry, budget: ByteBudget): void {
  const registers = [registry];
  new Gauge({
    name: 'broker_buffered_bytes',
    help: 'Counted bytes of the bodies of waiting calls and of unsent replies',
    registers,
    collect() {
      this.set(budget.usedBytes);
    },
  });
  new Gauge({
    name: 'broker_buffered_bytes_max',
    help: 'What server.maxBufferedBytes allows',
    registers,
    collect() {
      this.set(budget.maxBytes);
    },
  });
  new Counter({
    name: 'broker_overloads_total',
    help: 'Calls refused because there was no room for their bodies or results',
    registers,
    collect() {
      this.reset();
      this.inc(budget.refusals);
    },
  });
}
