import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PROJECT } from './project.ts';

/** The text of the README below a heading of the second level. */
export async function readmeSection(heading: string): Promise<string> {
  const readme = await readFile(path.join(PROJECT, 'README.md'), 'utf8');
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`the README has no section ${heading}`);
  return section;
}

/** The first group of each match. */
export function namesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
}
