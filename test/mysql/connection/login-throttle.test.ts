import { expect, test } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { BrokerError } from '../../../lib/errors.ts';
import { LoginAttempts, PasswordHistory } from '../../../lib/mysql/connection/login-throttle.ts';

const refusal = new BrokerError('CREDENTIALS_REFUSED', 'refused');
const deadline = () => Deadline.after(10_000);

/** A trial, and a login that counts how often it ran, and how many ran at once. */
function trialOf(answer: () => Promise<string>) {
  const trial = new LoginAttempts(new PasswordHistory());
  const seen = { logins: 0, underWay: 0, peak: 0 };
  const logIn = async () => {
    seen.logins += 1;
    seen.underWay += 1;
    seen.peak = Math.max(seen.peak, seen.underWay);
    await new Promise((resolve) => setImmediate(resolve));
    seen.underWay -= 1;
    return await answer();
  };
  const run = async () => await trial.run(logIn, deadline());
  return { seen, run, runMany: async () => await Promise.allSettled(Array.from({ length: 20 }, run)) };
}

test('a login that nobody has seen succeed goes ahead of the others', async () => {
  let peakOfFirst = 0;
  const { seen, runMany } = trialOf(async () => {
    peakOfFirst ||= seen.peak;
    return 'open';
  });

  const all = await runMany();

  expect(all.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect([peakOfFirst, seen.logins]).toEqual([1, 20]);
  expect(seen.peak).toBeGreaterThan(1);
});

test('if it is refused, the others fail with it without a login', async () => {
  const { seen, run, runMany } = trialOf(async () => await Promise.reject(refusal));

  const all = await runMany();

  expect(all).toEqual(Array.from({ length: 20 }, () => ({ status: 'rejected', reason: refusal })));
  await expect(run()).rejects.toBe(refusal);
  expect(seen.logins).toBe(1);
});

test('an unreachable server is no refusal: the next one tries', async () => {
  const failure = new BrokerError('DATABASE_UNREACHABLE', 'down');
  const { seen, run } = trialOf(async () => await Promise.reject(failure));

  await expect(run()).rejects.toBe(failure);
  await expect(run()).rejects.toBe(failure);

  expect(seen.logins).toBe(2);
});

test('a login that hangs holds up the others for a moment only', async () => {
  const trial = new LoginAttempts(new PasswordHistory());
  const hanging = trial.run(async () => await new Promise<string>(() => undefined), deadline());
  hanging.catch(() => undefined);

  expect(await trial.run(async () => 'open', deadline())).toBe('open');
});

test('credentials that were refused are tried at once when others, taken before, are refused: the password has changed', async () => {
  const history = new PasswordHistory();
  const [old, next] = [new LoginAttempts(history), new LoginAttempts(history)];
  const refuse = async () => await Promise.reject(refusal);
  const open = async () => 'open';
  await old.run(open, deadline());
  await expect(next.run(refuse, deadline())).rejects.toBe(refusal);
  await expect(next.run(open, deadline())).rejects.toBe(refusal);

  await expect(old.run(refuse, deadline())).rejects.toBe(refusal);

  expect(await next.run(open, deadline())).toBe('open');
});

test('a refusal that was on its way when the password changed starts no pause', async () => {
  const history = new PasswordHistory();
  const [old, next] = [new LoginAttempts(history), new LoginAttempts(history)];
  await old.run(async () => 'open', deadline());
  const late = next.run(async () => {
    await old.run(async () => await Promise.reject(refusal), deadline()).catch(() => undefined);
    throw refusal;
  }, deadline());
  await expect(late).rejects.toBe(refusal);

  expect(await next.run(async () => 'open', deadline())).toBe('open');
});
