/**
 * What a .dockerignore keeps from a build: the last pattern that matches a path, or a folder that it is in, decides.
 *
 * @throws {Error} a pattern uses more than names and `*`.
 */
export function parseDockerIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseRule);
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.ignores ?? false;
}

function parseRule(line: string): { pattern: RegExp; ignores: boolean } {
  const ignores = !line.startsWith('!');
  const glob = ignores ? line : line.slice(1);
  if (!/^[\w.*/-]+$/.test(glob) || glob.includes('**'))
    throw new Error(`a pattern that is not known: ${line}`);
  const source = glob
    .replace(/^\/|\/$/g, '')
    .replaceAll('.', '\\.')
    .replaceAll('*', '[^/]*');
  return { pattern: new RegExp(`^${source}(/|$)`), ignores };
}
