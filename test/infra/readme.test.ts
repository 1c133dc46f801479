import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readmeOf, sectionOf } from '../packaging/support/readme.ts';
import { PROJECT } from '../support/project.ts';

const ROW = /^\| (?<change>[^|]+?) +\| (?<files>[^|]+?) +\|$/gm;

/** The files of a row stand in the folder of its first one. */
function filesOf(cell: string): string[] {
  const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const folder = path.dirname(names[0] ?? '');
  return names.map((name, index) => path.join('infra', index === 0 ? '' : folder, name));
}

test('each file of the table "Which file do I change if" is there', async () => {
  const section = sectionOf(await readmeOf('infra'), '## Which file do I change if ...');
  const [, body = ''] = section.split(/^\| -+ \| -+ \|$/m);
  const rows = [...body.matchAll(ROW)].map(({ groups }) => groups?.files ?? '');
  const files = rows.flatMap(filesOf);

  expect(files.length).toBeGreaterThan(rows.length);
  expect(files.filter((file) => !existsSync(path.join(PROJECT, file)))).toEqual([]);
});
