import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import '../../lib/mysql/driver.ts';

interface ParserCache {
  getParser(
    type: string,
    columns: readonly object[],
    options: object,
    config: object,
    compile: () => object,
  ): object;
}

const require = createRequire(import.meta.url);
// mysql2 does not export it.
const cacheFile = join(dirname(require.resolve('mysql2')), 'lib/parsers/parser_cache.js');
const { getParser }: ParserCache = require(cacheFile);

let compiled = 0;

/** Reads a result whose only column has this name. */
function read(name: string): void {
  getParser('text', [{ name, columnType: 253, characterSet: 45, flags: 0, decimals: 0 }], {}, {}, () => {
    compiled += 1;
    return {};
  });
}

test('compiled parsers are kept for the last 200 lists of columns, however many callers make up', () => {
  for (let column = 0; column < 1_000; column += 1) read(`c${column}`);
  expect(compiled).toBe(1_000);
  for (let column = 800; column < 1_000; column += 1) read(`c${column}`);
  expect(compiled).toBe(1_000);
  read('c799');
  expect(compiled).toBe(1_001);
});
