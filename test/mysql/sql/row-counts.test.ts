import { expect, test } from 'vitest';
import type { OkPacket } from '../../../lib/mysql/result/ok-packet.ts';
import { effectsOf } from '../../../lib/mysql/sql/row-counts.ts';

const ended = (info: string, affectedRows = 7): OkPacket => ({
  affectedRows,
  info,
  insertId: 0,
  warnings: 2,
  status: 2,
  changes: undefined,
});

// As the servers' own files of messages have them.
test.each([
  'Rows matched: 7  Changed: 5  Warnings: 2',
  'Enregistrements correspondants: 7  Modifiés: 5  Warnings: 2',
  'Datensätze gefunden: 7  Geändert: 5  Warnungen: 2',
  'Líneas correspondientes: 7  Cambiadas: 5  Avisos: 2',
  'Совпало записей: 7  Изменено: 5  Предупреждений: 2',
  '一致数(Rows matched): 7  変更: 5  Warnings: 2',
])('the rows that an UPDATE changed are read from "%s"', (info) => {
  expect(effectsOf(ended(info), 'changed', 0)).toEqual({
    affectedRows: 7,
    changedRows: 5,
    insertId: null,
    warnings: 2,
  });
});

test.each(['', 'done', '7 rows, 5 changed'])('where the server tells "%s" they are not guessed', (info) => {
  expect(effectsOf(ended(info), 'changed', 0).changedRows).toBeNull();
});

test('the same figures of an INSERT are no changed rows', () => {
  expect(effectsOf(ended('Records: 7  Duplicates: 5  Warnings: 2'), 'affected', 0).changedRows).toBe(0);
});

test('of what ran others only the last one is counted, and its changed rows are not told', () => {
  expect(effectsOf(ended(''), 'unreported', 0)).toMatchObject({ affectedRows: 7, changedRows: null });
});
