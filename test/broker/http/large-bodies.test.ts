import { describe, expect, test } from 'vitest';
import { atOnce } from '../../../lib/async/turns.ts';
import { surveyJson } from '../../../lib/broker/http/body/json-survey.ts';
import { parseInParts, parseLossless } from '../../../lib/broker/http/body/lossless-json.ts';
import { http } from '../../support/http.ts';
import { fc } from '../../support/random.ts';
import { useBroker } from '../../support/use-broker.ts';

const BODY_BYTES = 4_000_000;
const MAX_VALUES = 200_000;

const { broker } = await useBroker({ databases: { default: { pool: { size: 1, maxOverflow: 0 } } } });

async function ask(body: string, path = '/v1/databases/default/query') {
  const reply = await http(`${broker.url}${path}`, { headers: broker.headers(), body });
  return { status: reply.status, ...(reply.json() as object) };
}

/** As many of it as fit into the largest body. */
function filled(item: string): string {
  return item.repeat(Math.floor(BODY_BYTES / item.length));
}

describe('values in a body are counted before anything is made of them', () => {
  test.each([
    ['numbers', `{"sql":"SELECT ?","params":[${filled('1,')}1]}`],
    ['texts', `{"sql":"SELECT ?","params":[${filled('"",')}1]}`],
    ['arrays', `{"sql":"SELECT ?","params":${filled('[')}`],
    ['objects', `{"sql":"SELECT ?","params":[${filled('{},')}1]}`],
    ['names', `{"sql":"SELECT ?","params":{${filled('"a":1,')}"b":1}}`],
    ['members of a list', `{"sql":"SELECT ?","params":[{"$list":[${filled('1,')}1]}]}`],
    ['values of a document', `{"sql":"SELECT ?","params":[{"$json":[${filled('1,')}1]}]}`],
    ['unknown fields', `{"sql":"SELECT ?",${filled('"a":1,')}"b":1}`],
    ['what is not JSON', filled('1,')],
  ])('%s', async (_, body) => {
    expect(await ask(body)).toMatchObject({
      status: 400,
      error: {
        code: 'INVALID_REQUEST',
        message: expect.stringMatching(
          /^the body holds \d+ JSON values and names; at most 200000 are allowed$/,
        ),
        limit: { name: 'values', max: MAX_VALUES, actual: expect.any(Number) },
      },
    });
  });

  test.each([
    ['transaction', `{"statements":[${filled('{"sql":"SELECT 1","params":[1]},')}{}]}`],
    ['batch', `{"sql":"SELECT ?","paramSets":[${filled('[1],')}[1]]}`],
  ])('of a %s', async (path, body) => {
    expect(await ask(body, `/v1/databases/default/${path}`)).toMatchObject({
      status: 400,
      error: { limit: { name: 'values', max: MAX_VALUES } },
    });
  });

  test('one by one, whatever stands in texts', () => {
    const json = fc.json({ maxDepth: 5 });
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value: unknown = JSON.parse(text);
        const spaced = JSON.stringify(value, undefined, indent);
        expect(surveyJson(Buffer.from(spaced))).toMatchObject({
          values: valuesIn(value),
          mostFields: mostFieldsIn(value),
        });
      }),
    );
  });
});

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const names = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, member) => sum + valuesIn(member), 1 + names);
}

function mostFieldsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Math.max(own, ...Object.values(value).map(mostFieldsIn));
}

test('an object of too many fields is refused', async () => {
  const named = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `a${index}`);
    const sql = `SELECT 1 IN (${names.map((name) => `:${name}`).join()})`;
    return JSON.stringify({ sql, params: Object.fromEntries(names.map((name) => [name, 1])) });
  };
  expect(await ask(named(32_768))).toMatchObject({ status: 200 });
  expect(await ask(named(32_769))).toMatchObject({
    status: 400,
    error: {
      message: 'the body holds an object of 32769 fields; at most 32768 are allowed',
      limit: { name: 'fields', max: 32_768, actual: 32_769 },
    },
  });
});

test('a large body is read as a small one is', () => {
  const number = fc.constantFrom(
    '1',
    '-0',
    '1e5',
    '1E+300',
    '1e400',
    '9007199254740993',
    '123456789012345.5',
  );
  const text = fc.constantFrom(
    '"1234567890123456"',
    '"1e400"',
    '"\\u0061"',
    '"\\\\"',
    '"a\\"b"',
    'null',
    'true',
  );
  const name = fc.constantFrom('a', '$json', '\\u0024json', '__proto__', '2', '1', '$json\\"');
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      number,
      text,
      fc.array(tie('value')).map((items) => `[${items.join(' , ')}]`),
      fc.array(fc.tuple(name, tie('value'))).map((members) => {
        return `{ ${members.map(([key, member]) => `"${key}" : ${member}`).join(',')} }`;
      }),
    ),
  }));
  const outcome = (read: () => unknown) => {
    try {
      return { read: read() };
    } catch (error) {
      return { error: String(error) };
    }
  };
  fc.assert(
    fc.property(value, (json) => {
      const small = outcome(() => parseLossless(json));
      expect(outcome(() => atOnce(parseInParts(Buffer.from(json))))).toStrictEqual(small);
    }),
    { numRuns: 1_000 },
  );
});

test('as many tagged values as a statement takes are not too many for a body', async () => {
  const $list = Array.from({ length: 65_535 }, (_, index) => ({ $bigint: String(index) }));
  expect(await ask(JSON.stringify({ sql: 'SELECT 1 IN (?)', params: [{ $list }] }))).toMatchObject({
    status: 200,
  });
});

test.each([
  ['words', `SELECT 1 ${filled('a ')}`],
  ['texts', `SELECT ${filled("'',")}`],
  ['hints', `SELECT /*+ ${filled('a ')} */ 1 +`],
  ['executable comments', `SELECT ${filled('/*!1*/')}`],
])('others are served while a statement of 4 MB of %s is read', async (_, sql) => {
  const state = { isAnswered: false };
  const asked = ask(JSON.stringify({ sql: `${sql}; SELECT 1` })).finally(() => {
    state.isAnswered = true;
  });
  let served = 0;
  while (!state.isAnswered) {
    expect((await http(`${broker.url}/healthz`)).status).toBe(200);
    served += 1;
  }
  // The broker reads all of it, and sends nothing.
  expect(await asked).toMatchObject({ status: 400, error: { code: 'STATEMENT_NOT_ALLOWED' } });
  expect(served).toBeGreaterThan(10);
});
