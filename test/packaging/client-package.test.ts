import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDirectory, run, tool } from '../support/project.ts';
import { installPacked, linkCommands, writeTsconfig } from './support/packed-package.ts';

const FUNCTION = `
import { BrokerError, connect, json, list } from 'serverless-conn-pool';

const db = connect({ url: 'http://127.0.0.1:1', key: 'k', bigint: 'string' });

export async function handler(): Promise<string | undefined> {
  try {
    const { rows } = await db.query<{ name: string }>('SELECT name FROM t WHERE id IN (?) AND j = ?', [list([1n]), json({})]);
    return rows[0]?.name;
  } catch (error) {
    return error instanceof BrokerError ? error.code : undefined;
  }
}
`;

/** A project of somebody who installed the package. */
let consumer: string;

beforeAll(async () => {
  consumer = await makeDirectory();
  await installPacked(consumer, ['@types/node', 'undici-types']);
  await writeTsconfig(consumer);
  await writeFile(path.join(consumer, 'package.json'), '{"type": "module"}');
  await writeFile(path.join(consumer, 'function.ts'), FUNCTION);
});

afterAll(async () => {
  await rm(consumer, { recursive: true });
});

test('a function that imports the package typechecks', async () => {
  expect(await run(tool('tsc'), ['-p', '.'], consumer)).toEqual({ exitCode: 0, output: '' });
});

test('a wrong parameter is a type error', async () => {
  await writeFile(path.join(consumer, 'wrong.ts'), FUNCTION.replace('json({})', '{ a: 1 }'));

  const { exitCode, output } = await run(tool('tsc'), ['-p', '.'], consumer);
  await rm(path.join(consumer, 'wrong.ts'));

  expect(output).toContain('wrong.ts(8,');
  expect(exitCode).not.toBe(0);
});

test('its bundle holds the client alone and runs', async () => {
  const { metafile } = await build({
    absWorkingDir: consumer,
    entryPoints: ['function.ts'],
    outfile: 'function.mjs',
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    metafile: true,
    logLevel: 'silent',
  });

  const inputs = Object.keys(metafile.inputs).join('\n');
  expect(inputs).toContain('serverless-conn-pool/dist/lib/client/');
  expect(inputs).not.toMatch(/fastify|mysql|pino|prom-client|@aws-sdk|lib\/(broker|pool|settings)\//);
  expect(metafile.outputs['function.mjs']?.bytes).toBeLessThan(61_440);

  const script = "import('./function.mjs').then(({ handler }) => handler()).then(console.log)";
  expect(await run(process.execPath, ['-e', script], consumer)).toEqual({
    exitCode: 0,
    output: 'BROKER_UNREACHABLE\n',
  });
});

test('npx makes a key', async () => {
  const dependencies = { 'serverless-conn-pool': '*' };
  await writeFile(path.join(consumer, 'package.json'), JSON.stringify({ type: 'module', dependencies }));
  await linkCommands(consumer);

  const npx = ['--offline', 'serverless-conn-pool-key', '--name', 'orders-api'];
  const { exitCode, output } = await run('npx', npx, consumer);

  expect(output).toMatch(/^[0-9a-f]{64}$/m);
  expect(output).toMatch(/^callers:\n {2}orders-api:\n {4}keySha256: "?[0-9a-f]{64}"?$/m);
  expect(exitCode).toBe(0);
});

test('only the index can be imported', async () => {
  const script =
    "import('serverless-conn-pool/dist/lib/client/connect.js').catch(({ code }) => console.log(code))";

  const { output } = await run(process.execPath, ['-e', script], consumer);

  expect(output).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  expect(await readFile(path.join(consumer, 'node_modules/serverless-conn-pool/LICENSE'), 'utf8')).toContain(
    'MIT',
  );
});
