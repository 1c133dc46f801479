import { describe, expect, test } from 'vitest';
import { parseLossless } from '../../../lib/broker/http/body/lossless-json.ts';
import { JsonText } from '../../../lib/protocol/json-text.ts';
import { fc } from '../../support/random.ts';

/** Makes any text one that is read with care. */
const CAREFULLY = '"1234567890123456"';

describe('a number', () => {
  test.each([
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
    ['-0', -0],
    ['0.1000000000000000055', 0.1],
    ['9007199254740992.0', 2 ** 53],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['1E+100', 1e100],
    ['5e-324', Number.MIN_VALUE],
    ['1e-400', 0],
  ])('%s is taken as the double that it is', (text, value) => {
    expect(parseLossless(`[${text}]`)).toStrictEqual([value]);
    expect(parseLossless(`[ ${text} ,${CAREFULLY}]`)).toStrictEqual([value, '1234567890123456']);
  });

  test.each([
    '9007199254740992',
    '-9007199254740992',
    '9007199254740993',
    '12345678901234567890',
    `1${'0'.repeat(20)}`,
  ])('%s is refused rather than rounded, with its place', (digits) => {
    for (const text of [
      `{"params":[1,[${digits}]]}`,
      `{ "params" : [ 1\n,\t[ "a\\"]", 5 ],[${digits} ] ] }`,
      `{"params":[{"$json":${digits}},{"\\u0061":${digits}}]}`,
    ]) {
      expect(() => parseLossless(text)).toThrow(
        /^params\.[12]\.[0a] is an integer beyond 2\^53: send \{"\$bigint": "digits"\}/,
      );
    }
  });

  test.each([
    ['a large exponent', '1e400'],
    ['a large negative number', '-1E+400'],
    ['four hundred digits before the point', `${'9'.repeat(400)}.5`],
  ])('with %s is refused, for no double holds it', (_, text) => {
    expect(() => parseLossless(`{"a":${text}}`)).toThrow('a is a number beyond the range of DOUBLE');
  });

  test('of digits in a text is left alone', () => {
    const body = { sql: 'SELECT 12345678901234567890, "1e400"', params: ['9007199254740993'] };
    expect(parseLossless(JSON.stringify(body))).toEqual(body);
  });
});

describe('the document of a $json', () => {
  test.each([
    '{"big": 12345678901234567890, "exact": 1.10, "far": 1e400}',
    '{"b":1,"a":2,"2":3,"1":4,"a":5}',
    '{"__proto__":{"x":1},"constructor":{"prototype":1}}',
    '[ "a \\" ] } \\\\", "\\\\\\"]", {"$json":[1]},[[]],{} ]',
    '"\\ud83d\\ude00 \\ud800"',
    '12345678901234567890',
    '-0.0',
    'null',
    '""',
  ])('%s is kept to the letter', (text) => {
    for (const key of ['$json', '\\u0024json', '$js\\u006fn']) {
      expect(parseLossless(`[{ "${key}" : ${text} }, 1]`)).toStrictEqual([{ $json: new JsonText(text) }, 1]);
    }
  });

  test('may be nested as deep as it likes', () => {
    const text = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(parseLossless(`{"$json":${text}}`)).toStrictEqual({ $json: new JsonText(text) });
  });
});

describe('a field', () => {
  test.each(['__proto__', '\\u005f_proto__', '__pr\\u006fto__'])('named %s is refused', (key) => {
    expect(() => parseLossless(`{"sql":"SELECT 1","params":[{"${key}":{}}]}`)).toThrow(
      'params.0 has the field "__proto__", which is not allowed',
    );
  });

  test('given twice counts as given last, whether it is read with care or not', () => {
    expect(parseLossless('{"a":1,"b":2,"a":3}')).toEqual({ a: 3, b: 2 });
    expect(parseLossless(`{"a":1,"b":${CAREFULLY},"a":3}`)).toEqual({ a: 3, b: '1234567890123456' });
  });
});

test.each(['', '{', '[1,]', '01', '{"$json":}', '{"$json":01}', '{"$json":1,}', '[1234567890123456'])(
  '%j is refused, for it is not JSON',
  (text) => {
    expect(() => parseLossless(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST', message: 'The body is not valid JSON' }),
    );
  },
);

test('a body that is nested without end is refused', () => {
  const text = '['.repeat(100_000) + CAREFULLY + ']'.repeat(100_000);
  expect(() => parseLossless(text)).toThrow('the body is nested too deeply');
});

test('whatever holds no number beyond 2^53 and no document is read as JSON.parse reads it', () => {
  const number = fc.double({ noDefaultInfinity: true, noNaN: true }).filter((value) => {
    return !Number.isInteger(value) || Number.isSafeInteger(value);
  });
  const values = fc.anything({
    values: [number, fc.string({ unit: 'binary' }), fc.constantFrom(null, true, false, '\\', '"', '\\"')],
    maxDepth: 4,
  });
  const spaces = fc.constantFrom(undefined, 1, '\t', '\n ');
  const property = fc.property(values, spaces, (value, space) => {
    const text = JSON.stringify([value, '1234567890123456'], undefined, space);
    fc.pre(!text.includes('__proto__'));
    expect(parseLossless(text)).toStrictEqual(JSON.parse(text));
  });
  fc.assert(property, { numRuns: 2000 });
});
