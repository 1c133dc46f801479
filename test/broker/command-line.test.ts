import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseCommand, USAGE, UsageError } from '../../lib/broker/options.ts';
import { runBroker } from '../support/broker-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ALIAS = { host: 'db.internal', credentials: { secretId: 'prod/shop' } };
const CALLERS = { orders: { keySha256: 'a'.repeat(64), databases: ['default'], access: 'write' } };

function fileWith(document: object): string {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, stringify(document));
  return file;
}

const check = async (document: object, environment: NodeJS.ProcessEnv = {}) =>
  await runBroker(environment, ['--check', fileWith(document)]);

describe('--check', () => {
  test('says of settings in order that the broker would start, whatever else the environment names', async () => {
    const document = { databases: { default: ALIAS }, callers: CALLERS };
    const { code, output } = await check(document, { BROKER_SETTINGS_SECRET: 'prod/settings' });
    expect([code, output]).toEqual([
      0,
      expect.stringContaining('would start with it (1 databases, 1 callers)'),
    ]);
  }, 60_000);

  test('prints a line for each problem: of the document, of files beside it, of the environment', async () => {
    const bad = { databases: { Default_1: { ...ALIAS, pool: { size: 0 }, tls: 'maybe' } }, callers: CALLERS };
    expect(await check(bad)).toEqual({
      code: 1,
      output: expect.stringMatching(/tls: found[\s\S]*pool\.size: found 0[\s\S]*found another name/),
    });
    const noFile = { databases: { default: { ...ALIAS, tls: { ca: 'nowhere.pem' } } }, callers: CALLERS };
    expect(await check(noFile)).toEqual({
      code: 1,
      output: expect.stringContaining('databases.default.tls.ca: found a file that cannot be read (ENOENT)'),
    });
    const anonymous = { databases: { default: ALIAS }, allowAnonymous: true };
    const open = await check(anonymous, { HOST: '0.0.0.0' });
    expect(open).toEqual({ code: 1, output: expect.stringContaining('allowAnonymous: found true') });
  }, 60_000);
});

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  expect(await runBroker({}, ['--version'])).toEqual({ code: 0, output: `${version}\n` });
}, 60_000);

test('--schema prints a JSON Schema', async () => {
  const { code, output } = await runBroker({}, ['--schema']);
  expect([code, JSON.parse(output)]).toMatchObject([0, { type: 'object', additionalProperties: false }]);
}, 60_000);

test('an unknown option ends with code 2 and starts nothing', async () => {
  const { code, output } = await runBroker({ BROKER_SETTINGS: '{}' }, ['--chek', 'settings.yaml']);
  expect([code, output]).toEqual([2, expect.stringContaining("Unknown option '--chek'")]);
  expect(output).not.toContain('databases');
}, 60_000);

test('without an option the broker serves; --help names each option', () => {
  expect(parseCommand([])).toEqual({ name: 'serve' });
  expect([parseCommand(['--help']), parseCommand(['-h'])]).toEqual([{ name: 'help' }, { name: 'help' }]);
  expect(parseCommand(['--check', 'a.yaml'])).toEqual({ name: 'check', file: 'a.yaml' });
  for (const option of ['--check FILE', '--schema', '--version', '--help']) expect(USAGE).toContain(option);
});

test.each([
  [['--chek', 'settings.yaml'], "Unknown option '--chek'"],
  [['settings.yaml'], "Unexpected argument 'settings.yaml'"],
  [['--check'], "Option '--check <value>' argument missing"],
  [['--check='], '--check: found nothing'],
  [['--help', '--version'], 'found 2 options'],
  [['--schema=yes'], "Option '--schema' does not take an argument"],
])('%j is refused with what is allowed', (args, problem) => {
  expect(() => parseCommand(args)).toThrow(UsageError);
  expect(() => parseCommand(args)).toThrow(problem);
  expect(() => parseCommand(args)).toThrow('allowed');
});
