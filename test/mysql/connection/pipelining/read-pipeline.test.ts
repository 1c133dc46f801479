import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CancelSource } from '../../../../lib/async/cancellation.ts';
import { Deadline } from '../../../../lib/async/deadline.ts';
import { StatementTimer } from '../../../../lib/async/interruptible.ts';
import { LostPlaceError, ReadPipeline } from '../../../../lib/mysql/connection/pipelining/read-pipeline.ts';

// Each promise by hand: what is sent, answered and killed, and when.

const HOLD_UP_MS = 80;

class ConnectionLost extends Error {}

interface Sent {
  answer(): void;
  fail(error: Error): void;
}

/** One connection; `events` tells what became of the places on it. */
class Scene {
  readonly events: string[] = [];
  readonly sent: Sent[] = [];
  readonly kills: Sent[] = [];
  gaveUp = 0;
  readonly pipeline = new ReadPipeline({
    holdUpMs: HOLD_UP_MS,
    kill: async () => await this.#pending(this.kills),
    giveUp: () => {
      this.gaveUp += 1;
    },
    onFailure: () => undefined,
    endsConnection: (failure) => failure instanceof ConnectionLost,
  });

  /** Runs reads of these names; what each comes to is told in `events`. */
  run(names: string, signal?: CancelSource, deadlineMs = 60_000): void {
    for (const name of names) {
      const watch = new StatementTimer({ deadline: Deadline.after(deadlineMs), signal });
      const place = {
        onTurn: () => this.events.push(`${name} has its turn`),
        onGone: () => this.events.push(`${name} is gone`),
      };
      this.pipeline
        .run(watch, place, async () => await this.#pending(this.sent))
        .then(
          (failure) =>
            this.events.push(failure === undefined ? `${name} is answered` : `${name}: ${failure.message}`),
          (error: Error) =>
            this.events.push(`${name} ${error instanceof LostPlaceError ? 'lost its place' : error.message}`),
        );
    }
  }

  /** What has happened since it was asked the last time. */
  async news(afterMs = 0): Promise<string[]> {
    await vi.advanceTimersByTimeAsync(afterMs);
    return this.events.splice(0);
  }

  async #pending(list: Sent[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      list.push({ answer: resolve, fail: reject });
    });
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('each has its turn when the one before it was answered', async () => {
  const scene = new Scene();
  scene.run('abc');
  expect(await scene.news()).toEqual(['a has its turn']);
  scene.sent[0]?.answer();
  expect(await scene.news()).toEqual(['a is gone', 'b has its turn', 'a is answered']);
  scene.sent[1]?.fail(new Error('no'));
  expect(await scene.news()).toEqual(['b is gone', 'c has its turn', 'b: no']);
  scene.sent[2]?.answer();
  expect(await scene.news()).toEqual(['c is gone', 'c is answered']);
});

test('one that is stopped before its turn disturbs nobody', async () => {
  const scene = new Scene();
  scene.run('a');
  scene.run('b', undefined, 10);
  scene.run('c');
  expect(await scene.news(20)).toEqual(['a has its turn', 'b The deadline passed']);
  for (const sent of scene.sent) sent.answer();
  expect(await scene.news()).toEqual([
    'a is gone',
    'b is gone',
    'c has its turn',
    'c is gone',
    'a is answered',
    'c is answered',
  ]);
  expect(scene.kills).toHaveLength(0);
});

test('one that is stopped in its turn is killed, and those behind it lose their places', async () => {
  const scene = new Scene();
  scene.run('a', undefined, 10);
  scene.run('bc');
  expect(await scene.news(20)).toEqual([
    'a has its turn',
    'a The deadline passed',
    'b lost its place',
    'c lost its place',
  ]);
  expect(scene.kills).toHaveLength(1);
  for (const sent of scene.sent) sent.fail(new Error('killed'));
  // As long as the kill is under way, it could hit whoever has the connection next.
  expect(await scene.news()).toEqual(['b is gone', 'c is gone']);
  scene.kills[0]?.answer();
  expect(await scene.news()).toEqual(['a is gone']);
  expect(scene.gaveUp).toBe(0);
});

test('a kill that cannot be sent has the connection given up', async () => {
  const scene = new Scene();
  const signal = new CancelSource();
  scene.run('a', signal);
  scene.run('b');
  signal.cancel(new Error('hung up'));
  await scene.news();
  scene.kills[0]?.fail(new Error('unproven'));
  expect(await scene.news()).toEqual(['b is gone', 'a is gone']);
  expect(scene.gaveUp).toBe(1);
});

test('those that wait too long for one before them lose their places, and that one keeps its own', async () => {
  const scene = new Scene();
  scene.run('abc');
  await scene.news(HOLD_UP_MS - 1);
  expect(scene.events).toEqual([]);
  expect(await scene.news(2)).toEqual(['b lost its place', 'c lost its place']);
  expect(await scene.news(1_000)).toEqual([]);
  for (const sent of scene.sent) sent.answer();
  expect(await scene.news()).toEqual(['a is gone', 'b is gone', 'c is gone', 'a is answered']);
  expect(scene.gaveUp).toBe(0);
});

test('what nobody waits for has 200 ms, then the connection is given up', async () => {
  const scene = new Scene();
  scene.run('ab');
  await scene.news(HOLD_UP_MS + 1);
  scene.sent[0]?.answer();
  expect(await scene.news(199)).toEqual(['a is gone', 'a is answered']);
  expect(scene.gaveUp).toBe(0);
  expect(await scene.news(2)).toEqual(['b is gone']);
  expect(scene.gaveUp).toBe(1);
  scene.sent[1]?.fail(new ConnectionLost());
  expect(await scene.news()).toEqual([]);
});

test('a connection that is lost fails the one that has its turn; those behind it lose their places', async () => {
  const scene = new Scene();
  scene.run('abc');
  scene.sent[0]?.answer();
  await scene.news();
  for (const sent of scene.sent) sent.fail(new ConnectionLost('the connection was lost'));
  expect(await scene.news()).toEqual([
    'b is gone',
    'c is gone',
    'b: the connection was lost',
    'c lost its place',
  ]);
});

test('one that was stopped before it came has no place', async () => {
  const scene = new Scene();
  const signal = new CancelSource();
  signal.cancel(new Error('hung up'));
  scene.run('a', signal);
  expect(await scene.news()).toEqual(['a is gone', 'a hung up']);
  expect(scene.sent).toHaveLength(0);
});
