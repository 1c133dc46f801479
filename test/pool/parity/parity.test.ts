import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECKIN_BEHAVIOURS } from './checkin.ts';
import { CHECKOUT_BEHAVIOURS } from './checkout.ts';

const TEST_FOLDER = join(import.meta.dirname, '../..');
const TEST_FILE = /\.test\.ts$/;
const LAST_NUMBER = 122;
/** Where SQLAlchemy's own behaviour is a trap: for each there must be a test that falls into it. */
const TRAPS = [9, 10, 25, 26, 29, 32, 36, 39, 46, 57, 60, 87, 111];

const behaviours = Object.entries({ ...CHECKOUT_BEHAVIOURS, ...CHECKIN_BEHAVIOURS }).map(
  ([number, behaviour]) => ({ number: Number(number), ...behaviour }),
);
const proven = behaviours.flatMap((row) => ('provenIn' in row ? [row] : []));
const provenByTable = proven.flatMap(({ number, provenIn }) => provenIn.map((file) => `${number} ${file}`));

/** The numbers at the head of the names of a file's tests. */
function numbersIn(file: string): number[] {
  const text = readFileSync(join(TEST_FOLDER, file), 'utf8');
  const heads = [...text.matchAll(/['"`]((?:\[\d+\] ?)+)(?![,\]])/g)].map(([, head = '']) => head);
  return heads.flatMap((head) => [...head.matchAll(/\d+/g)].map(([number]) => Number(number)));
}

const provenByTests = readdirSync(TEST_FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => TEST_FILE.test(file))
  .flatMap((file) =>
    [...new Set(numbersIn(file))].map((number) => `${number} ${file.replace(TEST_FILE, '')}`),
  );

describe("SQLAlchemy's QueuePool behaviours", () => {
  test('are all in the table, once', () => {
    expect(behaviours.map(({ number }) => number)).toEqual(
      Array.from({ length: LAST_NUMBER }, (_, index) => index + 1),
    );
  });

  test('have a test of their number in each file that the table names', () => {
    expect(provenByTable.filter((proof) => !provenByTests.includes(proof))).toEqual([]);
  });

  test('that a test names are in the table, with its file', () => {
    expect(provenByTests.filter((proof) => !provenByTable.includes(proof))).toEqual([]);
  });

  test('that are traps are all turned right', () => {
    expect(TRAPS.filter((trap) => !proven.some(({ number }) => number === trap))).toEqual([]);
  });
});
