import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stageClient } from '../../infra/packages/client-package.ts';
import { succeed } from '../support/packages/npm-package.ts';
import { sharedPackage } from '../support/packages/shared-packages.ts';
import { makeDirectory, PROJECT, run, tool } from '../support/project.ts';

const FUNCTION = `
import { BrokerError, connect, list } from 'serverless-conn-pool';

const db = connect({ url: 'http://127.0.0.1:1', key: 'k' });

export async function handler(): Promise<string | undefined> {
  try {
    const { rows } = await db.query<{ name: string }>('SELECT name FROM t WHERE id IN (?)', [list([1])]);
    return rows[0]?.name;
  } catch (error) {
    return error instanceof BrokerError ? error.code : undefined;
  }
}
`;

/** Somebody's project, and in it the package as \`npm install\` leaves it. */
let consumer: string;
let archive: string;

beforeAll(async () => {
  consumer = await makeDirectory();
  const { folder: built } = await sharedPackage();
  const staged = path.join(consumer, 'staged');
  await stageClient(built, staged);
  archive = path.join(staged, (await succeed('npm', ['pack', '--silent', '--offline'], staged)).trim());

  // From this project's own copies: nothing is fetched.
  const fromHere = ['zod', '@types/node', 'undici-types'].map((name) => [
    name,
    `file:${path.join(PROJECT, 'node_modules', name)}`,
  ]);
  const dependencies = { 'serverless-conn-pool': `file:${archive}`, ...Object.fromEntries(fromHere) };
  await writeFile(path.join(consumer, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
  await succeed('npm', ['install', '--offline', '--install-links', '--no-audit', '--no-fund'], consumer);
  await writeFile(path.join(consumer, 'function.ts'), FUNCTION);
}, 240_000);

afterAll(async () => {
  await rm(consumer, { recursive: true });
});

test('the client is installed without anything of the broker', async () => {
  const modules = path.join(consumer, 'node_modules');
  const installed = (await readdir(modules)).filter(
    (name) => !name.startsWith('.') && !name.includes('types'),
  );
  expect(installed.sort()).toEqual(['serverless-conn-pool', 'zod']);

  const files = await readdir(path.join(modules, 'serverless-conn-pool'), { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining([
      'dist/lib/client/connect.js',
      'README.md',
      'lib/client/README.md',
      'lib/protocol/README.md',
    ]),
  );
  expect(files.join('\n')).not.toMatch(/lib\/(broker|mysql|pool|settings|rotation)|\.map$/m);
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(path.join(modules, 'serverless-conn-pool', file))).size),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(400_000);
});

describe('TypeScript finds its types', () => {
  test.each([
    ['node16', { module: 'node16', moduleResolution: 'node16' }],
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('by %s, with its declarations checked too', async (_name, options) => {
    const compilerOptions = {
      ...options,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    const config = { compilerOptions, files: ['function.ts'] };
    await writeFile(path.join(consumer, 'tsconfig.json'), JSON.stringify(config));

    expect(await run(tool('tsc'), ['-p', '.'], consumer)).toEqual({ exitCode: 0, output: '' });
  });

  // Which TypeScript 7 knows no longer: it looks at these two alone.
  test('by node10, from main and types', async () => {
    const root = path.join(consumer, 'node_modules/serverless-conn-pool');
    const { main, types } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
    expect(await readFile(path.join(root, types), 'utf8')).toContain('connect');
    expect(await readFile(path.join(root, main), 'utf8')).toContain('connect');
    const whole = JSON.parse(await readFile(path.join(PROJECT, 'package.json'), 'utf8'));
    expect([whole.main, whole.types]).toEqual([main, types]);
  });
});

test('it runs', async () => {
  const script = `
    import { BrokerError, connect } from 'serverless-conn-pool';
    const db = connect({ url: 'http://127.0.0.1:1', key: 'k', timeoutMs: 1_000 });
    await db.query('SELECT 1').catch((error) => console.log(error instanceof BrokerError, error.code));`;
  const { output } = await run(process.execPath, ['--input-type=module', '-e', script], consumer);
  expect(output).toBe('true BROKER_UNREACHABLE\n');
});
