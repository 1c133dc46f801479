import { JsonText } from '../../../../lib/protocol/json-text.ts';
import { fc } from '../../../support/random.ts';

/** Text made mostly of what is dangerous in SQL, and of any other characters. */
export const text = fc.string({
  unit: fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...'\'"`\\?:;#@$%_\0\n\r\t\x1a ',
        '--',
        '-- ',
        '/*',
        '*/',
        '/*!',
        "\\'",
        "''",
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom('a', ':a', ' OR 1=1', 'é', '表', '\u{1f600}', '\u00a0', '\uffff'),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  ),
  maxLength: 40,
});
const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data));
const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String);
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 34n), max: 10n ** 34n }), fc.stringMatching(/^[0-9]{30}$/))
  .map(([whole, fraction]) => `${whole}.${fraction}`);
export const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.constantFrom(Number.MAX_VALUE, Number.MIN_VALUE, -0, 2 ** 53, 1e20, 1e21),
);

const scalar = fc.oneof(
  text.map((value) => ({ value, before: 'HEX(', after: ')', expected: hex(value) })),
  bytes.map((data) => ({ value: bytesValue(data), before: 'HEX(', after: ')', expected: hex(data) })),
  fc.json().map((doc) => ({
    value: { $json: new JsonText(doc) },
    before: 'HEX(',
    after: ')',
    expected: hex(doc),
  })),
  bigint.map((digits) => ({ value: { $bigint: digits }, before: '', after: '', expected: digits })),
  decimal.map((digits) => ({
    value: { $decimal: digits },
    before: 'CAST(',
    after: 'AS DECIMAL(65,30))',
    expected: digits,
  })),
  fc.boolean().map((value) => ({ value, before: '', after: '', expected: value ? '1' : '0' })),
  fc.constant({ value: null, before: '', after: '', expected: null }),
);
const member = fc.oneof(
  text.map((value) => ({ value, content: hex(value) })),
  bytes.map((data) => ({ value: bytesValue(data), content: hex(data) })),
);
const list = fc.array(member, { minLength: 1, maxLength: 5 }).chain((members) =>
  fc.oneof(fc.constantFrom(...members), member).map(({ content }) => ({
    value: { $list: members.map(({ value }) => value) },
    before: `x'${content}' IN (`,
    after: ')',
    expected: members.some((other) => other.content === content) ? '1' : '0',
  })),
);
/** A place for a value in a statement, and what the server answers there. */
export const place = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: list });

/** What stands between tokens and means nothing, whatever it holds. A text of SQL cannot hold NUL. */
export const gap = fc.oneof(
  fc.constantFrom(' ', '\n', '\t', '/**/', ' '),
  text.map((held) => `/* ${held.replaceAll('\0', '').replaceAll('*/', '* /')} */`),
  text.map((held) => ` -- ${held.replace(/[\0\n]/g, '')}\n`),
  text.map((held) => `#${held.replace(/[\0\n]/g, '')}\n`),
);
export const alias = fc.constantFrom('', ' AS `? :p0 \' " -- /*`', ' AS "? :p0 \' ` -- /*"');

/** As the server's HEX() has it. */
export function hex(value: string | Uint8Array): string {
  return Buffer.from(value).toString('hex').toUpperCase();
}

function bytesValue(data: Uint8Array): { $bytes: string } {
  return { $bytes: Buffer.from(data).toString('base64') };
}
