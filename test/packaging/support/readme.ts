import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PROJECT } from '../../support/project.ts';

/** The README of a folder of the project. */
export async function readmeOf(folder: string): Promise<string> {
  return await readFile(path.join(PROJECT, folder, 'README.md'), 'utf8');
}

/** What stands below a heading, up to the next one of its level or a higher one. */
export function sectionOf(readme: string, heading: string): string {
  const level = heading.split(' ', 1)[0] ?? '';
  const [, section] = readme.split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`the README has no section ${heading}`);
  return section.split(new RegExp(`^#{1,${level.length}} `, 'm'))[0] ?? '';
}

/** The first group of each match. */
export function namesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
}
