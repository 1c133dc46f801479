import { expect, test } from 'vitest';
import { BrokerError } from '../../../../lib/errors.ts';
import { bindStatement } from '../../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../../lib/mysql/sql/lexer/sql-mode.ts';
import { JsonText } from '../../../../lib/protocol/json-text.ts';
import type { Param } from '../../../../lib/protocol/values.ts';
import { fc } from '../../../support/random.ts';
import { textOf } from '../support/bound-text.ts';
import { number, text } from '../support/value-arbitrary.ts';

/** Long texts are written in another way than short ones. */
const anyText = fc.oneof(
  text,
  fc.tuple(text, fc.integer({ min: 1_000, max: 3_000 })).map(([part, times]) => part.repeat(times)),
);
const scalar = fc.oneof<fc.Arbitrary<Exclude<Param, { $list: unknown }>>[]>(
  anyText,
  number,
  fc.constantFrom(null, true, false),
  fc.uint8Array({ maxLength: 50 }).map((data) => ({ $bytes: Buffer.from(data).toString('base64') })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map((value) => ({ $bigint: String(value) })),
  fc.constant({ $decimal: '-12.50' }),
);
const list = fc.array(scalar, { minLength: 1, maxLength: 5 }).map(($list) => ({ $list }) as Param);
const param = fc.oneof(
  scalar,
  list,
  anyText.map((value) => ({ $json: new JsonText(JSON.stringify(value)) })),
);
const params = fc.oneof(
  fc.record({ sql: fc.constant('SELECT n?, 1 IN (?) -- é\n;'), params: fc.tuple(scalar, param) }),
  fc.record({
    sql: fc.constant("SELECT '表', a IN (:a),x IN(:a) OR:b;  "),
    params: fc.record({ a: param, b: scalar }),
  }),
);

test.each(['', 'NO_BACKSLASH_ESCAPES'])(
  'under sql_mode "%s" a statement has as many bytes as its limit is compared with',
  (sqlMode) => {
    const mode = parseSqlMode(sqlMode);
    const property = fc.property(params, ({ sql, params: given }) => {
      const bytes = Buffer.byteLength(textOf(bindStatement(sql, given, mode, 'standalone')));
      expect(Buffer.byteLength(textOf(bindStatement(sql, given, mode, 'standalone', bytes)))).toBe(bytes);
      const bind = () => bindStatement(sql, given, mode, 'standalone', bytes - 1);
      expect(bind).toThrow(BrokerError);
      expect(bind).toThrow(`has ${bytes} bytes; maxStatementBytes is ${bytes - 1}`);
    });
    fc.assert(property, { numRuns: 500 });
  },
);

test('a text is written the same, whether it is long or short', () => {
  for (const sqlMode of ['', 'NO_BACKSLASH_ESCAPES']) {
    const mode = parseSqlMode(sqlMode);
    const property = fc.property(text, (part) => {
      const short = textOf(bindStatement('SELECT ?', [part], mode, 'standalone')).slice(
        "SELECT '".length,
        -1,
      );
      const times = Math.ceil(20_000 / Math.max(1, part.length));
      const long = textOf(bindStatement('SELECT ?', [part.repeat(times)], mode, 'standalone'));
      expect(long).toBe(`SELECT '${short.repeat(times)}'`);
    });
    fc.assert(property, { numRuns: 300 });
  }
});
