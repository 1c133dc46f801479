import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readZip } from '../packaging/support/read-zip.ts';
import { packageService } from '../packaging/support/service.ts';
import { startTestBroker, type TestBroker } from '../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let broker: TestBroker;
let folder: string;

beforeAll(async () => {
  database = await startTestDatabase();
  broker = await startTestBroker(database);
  await database.admin.query('CREATE TABLE app.greetings (id BIGINT PRIMARY KEY, text VARCHAR(20))');
  await database.admin.query("INSERT INTO app.greetings VALUES (9007199254740993, 'grüße 😀')");
  folder = await mkdtemp(join(tmpdir(), 'functions-'));
  const service = await packageService();
  for (const name of ['query', 'transaction', 'health']) {
    const [bundle] = readZip(join(service.packaged, `${name}.zip`)).values();
    await writeFile(join(folder, `${name}.mjs`), bundle ?? service.output);
  }
  await rm(service.folder, { recursive: true });
});

afterAll(async () => {
  await broker.stop();
  await database.stop();
  await rm(folder, { recursive: true });
});

/** Runs the packaged handler in a process of its own, as Lambda does; what it returned, or the error it threw. */
async function invoke(name: string, event: object, key: string = broker.keys.writer): Promise<unknown> {
  const script = `
    import { handler } from ${JSON.stringify(join(folder, `${name}.mjs`))};
    const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 10_000 };
    const answer = await handler(${JSON.stringify(event)}, context)
      .catch(({ name, message }) => ({ thrown: { name, message } }));
    console.log(JSON.stringify(answer));
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, BROKER_URL: broker.url, BROKER_KEY: key },
  });
  return JSON.parse(stdout);
}

function post(alias: string, body: object) {
  return {
    version: '2.0',
    requestContext: { http: { method: 'POST', path: `/databases/${alias}/query` } },
    headers: { 'content-type': 'application/json' },
    pathParameters: { alias },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}

const STATEMENT = {
  sql: 'SELECT id, text FROM greetings WHERE id = ?',
  params: [{ $bigint: '9007199254740993' }],
};

describe('the packaged query function', () => {
  test("answers an HTTP event with the broker's status and body", async () => {
    const reply = (await invoke('query', post('default', STATEMENT))) as { statusCode: number; body: string };
    expect(reply.statusCode).toBe(200);
    expect(JSON.parse(reply.body)).toMatchObject({ rows: [['9007199254740993', 'grüße 😀']] });
  });

  test("answers a direct invocation with the broker's body", async () => {
    expect(await invoke('query', { database: 'default', ...STATEMENT })).toMatchObject({
      columns: [{ name: 'id', type: 'BIGINT' }, { name: 'text' }],
      rows: [['9007199254740993', 'grüße 😀']],
    });
  });

  test('passes on what the broker refuses', async () => {
    const denied = await invoke('query', post('default', STATEMENT), 'wrong-key');
    expect(denied).toMatchObject({ statusCode: 401, body: expect.stringContaining('UNAUTHENTICATED') });
    const failed = await invoke('query', { database: 'default', sql: 'SELECT * FROM missing' });
    expect(failed).toEqual({ thrown: { name: 'SQL_ERROR', message: "Table 'app.missing' doesn't exist" } });
  });
});

test('the packaged transaction function does all of its statements', async () => {
  const insert = { sql: "INSERT INTO greetings VALUES (1, 'hello')", expect: { affectedRows: 1 } };
  const statements = [insert, { sql: 'SELECT text FROM greetings WHERE id = 1' }];

  expect(await invoke('transaction', { database: 'default', statements })).toMatchObject({
    results: [{ affectedRows: 1 }, { rows: [['hello']] }],
  });
});

test("the packaged health function answers with the broker's readiness", async () => {
  const event = { version: '2.0', requestContext: { http: { method: 'GET', path: '/health' } }, headers: {} };
  expect(await invoke('health', event)).toMatchObject({
    statusCode: 200,
    body: JSON.stringify({ status: 'ready', databases: { default: 'up' } }),
  });
});
