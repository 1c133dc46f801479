import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { settingsFor } from '../support/broker.ts';
import { startBrokerProcess } from '../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../support/database/database.ts';
import { http } from '../support/http.ts';
import { PROJECT } from '../support/project.ts';

/** The command as `npm run key` starts it. */
async function makeKey(args: readonly string[], input = '') {
  const child = spawn(process.execPath, ['--import', 'tsx', 'lib/key/main.ts', ...args], { cwd: PROJECT });
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exited, stdout, stderr };
}

describe('a broker with the settings that the command wrote', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await startTestDatabase();
  });
  afterAll(() => database.stop());

  /** Statuses of a read and of a write with the key. */
  async function ask(callers: object, key: string): Promise<number[]> {
    const broker = await startBrokerProcess({ ...settingsFor(database), callers });
    onTestFinished(() => broker.stop());
    const statuses: number[] = [];
    for (const sql of ['SELECT 1', 'CREATE TABLE made (id INT)']) {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const reply = await http(`${broker.url}/v1/databases/default/query`, {
        headers,
        body: JSON.stringify({ sql }),
      });
      statuses.push(reply.status);
    }
    return statuses;
  }

  test('lets the key in, with the access that was asked for', async () => {
    const made = await makeKey(['--name', 'reports', '--databases', 'default', '--access', 'read']);

    expect(made.stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(Object.keys(parse(made.stderr).callers)).toEqual(['reports']);
    expect(await ask(parse(made.stderr).callers, made.stdout.trim())).toEqual([200, 400]);
  });

  test('lets a key in that was there before', async () => {
    const { stdout, stderr } = await makeKey(['--stdin'], 'a-key-of-old\n');

    expect(stderr).toBe('');
    expect(stdout).not.toContain('a-key-of-old');
    expect(await ask(parse(stdout).callers, 'a-key-of-old')).toEqual([200, 200]);
  });
});

test('a key is on standard output alone, and another one each time', async () => {
  const [one, other] = await Promise.all([makeKey([]), makeKey([])]);

  expect(one.exitCode).toBe(0);
  expect(one.stderr).not.toContain(one.stdout.trim());
  expect(one.stdout).not.toBe(other.stdout);
});

test('names that YAML would take for something else stay names', async () => {
  const { stderr } = await makeKey(['--name', 'null', '--databases', 'true,no']);

  expect(parse(stderr).callers.null).toMatchObject({ databases: ['true', 'no'], access: 'write' });
});

test.each([
  [['--access', 'root'], '--access: found "root", allowed read, write, admin\n'],
  [['--name', '1st'], /^--name: found "1st", allowed a name of at most 63 of A-Z/],
  [['--databases', 'Shop'], /^--databases: found "Shop", allowed a name of at most 63 of a-z/],
  [['--acess', 'read'], "Unknown option '--acess', allowed --name, --databases, --access, --stdin, --help\n"],
  [
    ['--stdin'],
    'standard input: found nothing, allowed a key, which must be visible ASCII characters without spaces\n',
  ],
])('%j is refused with what is allowed', async (args, problem) => {
  const { exitCode, stdout, stderr } = await makeKey(args);

  expect(stderr).toMatch(problem);
  expect(stdout).toBe('');
  expect(exitCode).toBe(1);
});

test('a key among the arguments is refused, and not repeated', async () => {
  const { exitCode, stderr } = await makeKey(['the-key']);

  expect(stderr).toContain('A key comes by --stdin');
  expect(stderr).not.toContain('the-key');
  expect(exitCode).toBe(1);
});
