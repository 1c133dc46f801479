import { expect, test } from 'vitest';
import { JsonWriter } from '../../../lib/mysql/result/json-writer.ts';
import { fc } from '../../support/random.ts';

const whole = (source: Buffer) => [source, 0, source.length] as const;

function textJson(source: Buffer): string {
  const json = new JsonWriter();
  json.addText(...whole(source));
  return json.take().toString('latin1');
}

const utf8Of = (json: string) => Buffer.from(json).toString('latin1');

test('text of any characters and any length is the same as JSON.stringify writes', () => {
  const character = fc.oneof(
    fc.constantFrom('"', '\\', '\0', '\n', '\x1f', '\x7f', 'é', '表', '\u{1f600}', '\u2028'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const text = fc.tuple(fc.array(character, { maxLength: 50 }), fc.constantFrom(1, 2, 60, 3_000));
  fc.assert(
    fc.property(text, ([characters, times]) => {
      const value = characters.join('').repeat(times);
      expect(textJson(Buffer.from(value)) === utf8Of(JSON.stringify(value))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('bytes that are no UTF-8 become the character that stands for them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      const source = Buffer.from(bytes);
      expect(textJson(source)).toBe(utf8Of(JSON.stringify(source.toString('utf8'))));
    }),
  );
});

test.each([
  ['0', '0'],
  ['7', '7'],
  ['-7', '-7'],
  ['10', '10'],
  ['0.5', '0.5'],
  ['-0.5', '-0.5'],
  ['1e-10', '1e-10'],
  ['1.7976931348623157e308', '1.7976931348623157e308'],
  ['00042', '42'],
  ['00', '0'],
  ['-0', '0'],
])('the number %s is written as %s', (digits, expected) => {
  const json = new JsonWriter();
  json.addNumber(...whole(Buffer.from(digits)));
  expect(json.take().toString()).toBe(expected);
});

test('what is taken stays as it is while more is written, and the length tells what waits', () => {
  const json = new JsonWriter();
  const taken: string[] = [];
  const buffers: Buffer[] = [];
  for (let round = 0; round < 2_000; round += 1) {
    const piece = JSON.stringify('é'.repeat(round % 97));
    json.add(Buffer.from(piece));
    json.addToken(',');
    expect(json.length).toBe(Buffer.byteLength(piece) + 1);
    taken.push(`${piece},`);
    buffers.push(json.take());
    expect(json.length).toBe(0);
  }
  expect(Buffer.concat(buffers).toString()).toBe(taken.join(''));
});
