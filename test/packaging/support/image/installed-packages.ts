import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** `name@version` of what lies in a folder's node_modules, and in those of each package, by where it lies. */
export function installedPackages(folder: string, at = ''): Map<string, string> {
  const found = new Map<string, string>();
  const modules = path.join(folder, at, 'node_modules');
  if (statSync(modules, { throwIfNoEntry: false }) === undefined) return found;
  const names = readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(path.join(modules, name)).map((part) => `${name}/${part}`) : [name],
    );
  for (const name of names) {
    const place = path.posix.join(at, 'node_modules', name);
    const { version } = JSON.parse(readFileSync(path.join(folder, place, 'package.json'), 'utf8'));
    found.set(place, `${name}@${version}`);
    for (const [inner, what] of installedPackages(folder, place)) found.set(inner, what);
  }
  return found;
}

/** Every file below a folder, by its path from there. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
