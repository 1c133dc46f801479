import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaultRecord } from '../../../lib/broker/observability/fault-record.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const REFUSED = { code: 'CREDENTIALS_REFUSED', cause: 'login_refused', errno: 1045, message: 'refused' };
const SILENT = { code: 'DATABASE_UNREACHABLE', cause: 'connect_timeout', message: 'no answer' };

function recordThatTells(): { record: FaultRecord; told: string[] } {
  const record = new FaultRecord();
  const told: string[] = [];
  record.onChange((news, { cause, times }, failedCalls) =>
    told.push(`${news} ${cause} x${times} -${failedCalls}`),
  );
  return { record, told };
}

test('a fault is told when it begins, each minute with the calls that failed since, and when it ends', () => {
  const { record, told } = recordThatTells();
  record.noteFailure(REFUSED);
  for (let second = 1; second <= 150; second += 1) {
    vi.advanceTimersByTime(1_000);
    record.noteFailure(REFUSED);
    record.noteFailedCall();
    record.repeatIfDue();
  }
  record.noteSuccess();
  record.noteSuccess();
  expect(told).toEqual([
    'began login_refused x1 -0',
    'lasts login_refused x61 -59',
    'lasts login_refused x121 -60',
    'ended login_refused x151 -31',
  ]);
});

test('a fault that is not tried again is told each minute too', () => {
  const { record, told } = recordThatTells();
  record.noteFailure(SILENT);
  for (let second = 0; second < 60; second += 1) {
    vi.advanceTimersByTime(1_000);
    record.repeatIfDue();
  }
  expect(told).toEqual(['began connect_timeout x1 -0', 'lasts connect_timeout x1 -0']);
});

test('another cause is told at once, and neither of two that take turns more than once a minute', () => {
  const { record, told } = recordThatTells();
  for (let second = 0; second < 59; second += 1) {
    record.noteFailure(second % 2 === 0 ? REFUSED : SILENT);
    record.repeatIfDue();
    vi.advanceTimersByTime(1_000);
  }
  expect(told).toEqual(['began login_refused x1 -0', 'began connect_timeout x2 -0']);
});

test('what breaks and works again all the time is told once a minute', () => {
  const { record, told } = recordThatTells();
  for (let second = 0; second < 59; second += 1) {
    record.noteFailure(REFUSED);
    record.noteSuccess();
    vi.advanceTimersByTime(1_000);
  }
  expect(told).toEqual(['began login_refused x1 -0', 'ended login_refused x1 -0']);
  vi.advanceTimersByTime(1_000);
  record.noteFailure(REFUSED);
  expect(told).toHaveLength(3);
});

test('it knows since when a fault lasts and when it was last seen, and nothing once it has ended', () => {
  const { record } = recordThatTells();
  vi.setSystemTime('2026-01-01T00:00:00Z');
  record.noteFailure(REFUSED);
  vi.setSystemTime('2026-01-01T00:00:05Z');
  record.noteFailure(REFUSED);
  expect(record.current).toEqual({
    ...REFUSED,
    since: '2026-01-01T00:00:00.000Z',
    at: '2026-01-01T00:00:05.000Z',
    times: 2,
  });
  record.noteSuccess();
  expect(record.current).toBeUndefined();
});

test('one cause is told once, whatever code the system has for it', () => {
  const { record, told } = recordThatTells();
  for (const systemCode of ['ECONNRESET', 'EPIPE', 'ECONNRESET'])
    record.noteFailure({ ...SILENT, systemCode });
  expect(told).toEqual(['began connect_timeout x1 -0']);
});
