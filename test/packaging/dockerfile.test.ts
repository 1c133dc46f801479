import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT, temporaryDirectory } from '../support/project.ts';
import { buildImage } from './support/image/build-image.ts';
import { parseDockerIgnore } from './support/image/docker-ignore.ts';
import { parseDockerfile } from './support/image/dockerfile.ts';
import { filesIn } from './support/image/installed-packages.ts';

const ignores = parseDockerIgnore(
  await readFile(path.join(PROJECT, 'infra/Dockerfile.dockerignore'), 'utf8'),
);

test.each([
  'ADD lib lib',
  'ENTRYPOINT ["node"]',
  'COPY --chown=1000 lib lib',
  'ENV A=$B',
  'RUN cat <<EOF',
  '# syntax=docker/dockerfile:1',
  'ARG LATE=1',
  'FROM $UNKNOWN',
])('%s is refused, as nothing here carries it out', (line) => {
  expect(() => parseDockerfile(`FROM node:24-slim\n${line}\n`)).toThrow('not an instruction');
});

test('a line may go on and comments are skipped', () => {
  expect(parseDockerfile('# c\nFROM node:24-slim AS a\nRUN x && \\\n  # c\n  y\n')).toMatchObject([
    { name: 'a', base: 'node:24-slim', instructions: [{ keyword: 'RUN', text: 'x &&    y' }] },
  ]);
});

test('every stage can be pinned by the digest of its base', async () => {
  const text = await readFile(path.join(PROJECT, 'infra/Dockerfile'), 'utf8');
  const pinned = `node:24-slim@sha256:${'a'.repeat(64)}`;

  expect(parseDockerfile(text).map(({ base }) => base)).toEqual(Array(3).fill('node:24-slim'));
  expect(parseDockerfile(text, { NODE_IMAGE: pinned }).map(({ base }) => base)).toEqual(
    Array(3).fill(pinned),
  );
});

test.each(['package.json', 'package-lock.json', 'tsconfig.json', 'lib/broker/main.ts'])(
  'the build is shown %s',
  (file) => {
    expect(ignores(file)).toBe(false);
  },
);

test.each([
  '.env',
  '.git/config',
  'node_modules/yaml/package.json',
  'settings.yaml',
  'infra/examples/settings.yaml',
  'test/support/broker.ts',
  'library',
])('the build is not shown %s', (file) => {
  expect(ignores(file)).toBe(true);
});

test('COPY takes what is inside a folder, a file by its name into a folder, and nothing that is hidden', async () => {
  const folder = await temporaryDirectory();
  await mkdir(path.join(folder, 'context/lib'), { recursive: true });
  for (const file of ['lib/a.ts', 'lib/secret.ts', 'package.json'])
    await writeFile(path.join(folder, 'context', file), '');
  const context = {
    folder: path.join(folder, 'context'),
    ignores: (file: string) => file.endsWith('secret.ts'),
  };
  const build = (lines: string) =>
    buildImage(`FROM node:24-slim\nWORKDIR /app\n${lines}\n`, context, path.join(folder, 'stages'));

  const { image } = await build('COPY lib code\nCOPY package.json ./');
  expect(filesIn(image.root)).toEqual(['app/code/a.ts', 'app/package.json']);
  await expect(build('COPY lib/secret.ts ./')).rejects.toThrow('not among the files that the build is shown');
  await expect(build('COPY ../outside ./')).rejects.toThrow('not among the files that the build is shown');
  await expect(build('COPY --from=none lib lib')).rejects.toThrow('no such stage');
});
