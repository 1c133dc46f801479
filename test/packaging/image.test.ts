import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { settingsFor } from '../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../support/database/database.ts';
import { http } from '../support/http.ts';
import { makeDirectory, PROJECT, run } from '../support/project.ts';
import { untilRunning } from '../support/running-statements.ts';
import { readCompose, secretFiles } from './support/compose.ts';
import { type Build, buildImage, type Image } from './support/image/build-image.ts';
import { Container, type Running } from './support/image/container.ts';
import type { BuildContext } from './support/image/copy.ts';
import { parseDockerIgnore } from './support/image/docker-ignore.ts';
import { filesIn, installedPackages } from './support/image/installed-packages.ts';
import { readTaskContainer } from './support/image/task-container.ts';

/** Two installations, on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 600_000 });

const LOGIN = '/run/secrets/login';
const MOST_BYTES = 40 * 2 ** 20;

const dockerfile = await readFile(path.join(PROJECT, 'infra/Dockerfile'), 'utf8');
const ignores = parseDockerIgnore(
  await readFile(path.join(PROJECT, 'infra/Dockerfile.dockerignore'), 'utf8'),
);
const task = await readTaskContainer();

let database: TestDatabase;
let folder: string;
let build: Build;
let broker: string;

beforeAll(async () => {
  folder = await makeDirectory();
  await run('chmod', ['755', folder]);
  database = await startTestDatabase();
  build = await buildImage(dockerfile, { folder: PROJECT, ignores }, path.join(folder, 'stages'));
  broker = path.join(build.image.root, build.image.workdir);
});

afterAll(async () => {
  await database.stop();
  await run('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true });
});

/** A container of an image, with the login of the test's database in a file. */
async function containerOf(image: Image): Promise<{ container: Container; settings: string }> {
  const file = path.join(folder, 'login.json');
  const { user: username, password } = database.app;
  await writeFile(file, JSON.stringify({ username, password }), { mode: 0o644 });
  const container = new Container(image, { [LOGIN]: file });
  const settings = settingsFor(database, {
    databases: { default: { credentials: { file: container.pathOf(LOGIN) } } },
  });
  return { container, settings: JSON.stringify(settings) };
}

async function started(container: Container, settings: string): Promise<Running> {
  const running = await container.start({ BROKER_SETTINGS: settings });
  onTestFinished(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  return running;
}

async function ask({ url }: Running, sql: string, key = 'writer-key'): Promise<unknown> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ sql });
  const { status, text } = await http(`${url}/v1/databases/default/query`, { headers, body });
  return status === 200 ? JSON.parse(text).rows : text;
}

/** The image of another Dockerfile, or of a changed project. Stages that are written alike are taken as they are. */
async function rebuilt(
  text: string,
  { context = { folder: PROJECT, ignores }, anew = '' }: { context?: BuildContext; anew?: string } = {},
): Promise<Image> {
  const stages = new Map([...build.stages].filter(([name]) => name === 'build' || name === 'dependencies'));
  stages.delete(anew);
  const own = path.join(folder, `${crypto.randomUUID()}`);
  onTestFinished(async () => {
    await run('chmod', ['-R', 'u+w', own]);
    await rm(own, { recursive: true });
  });
  return (await buildImage(text, context, own, stages)).image;
}

test('the image holds the broker as one file, what it depends on, and the list of that', async () => {
  const files = filesIn(broker);

  expect(filesIn(build.image.root).filter((file) => !file.startsWith('broker/'))).toEqual([]);
  expect(files.filter((file) => !file.startsWith('node_modules/')).sort()).toEqual([
    'dist/broker/main.mjs',
    'package.json',
    'sbom.cdx.json',
  ]);
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(broker, file))).size));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_BYTES);
});

test('its packages are those of the lock file that are not for development, and fit every platform', async () => {
  const lock = JSON.parse(await readFile(path.join(PROJECT, 'package-lock.json'), 'utf8'));
  const { devDependencies } = JSON.parse(await readFile(path.join(PROJECT, 'package.json'), 'utf8'));
  const installed = installedPackages(broker);
  const wanted = Object.keys(lock.packages).filter((at) => at !== '' && lock.packages[at].dev !== true);

  expect([...installed.keys()].sort()).toEqual(wanted.sort());
  // What mysql2 wants of it are types.
  expect(Object.keys(devDependencies).filter((name) => installed.has(`node_modules/${name}`))).toEqual([
    '@types/node',
  ]);
  expect(filesIn(broker).filter((file) => /\.(node|so|wasm)$/.test(file))).toEqual([]);
  expect(build.image.stage.instructions.map(({ keyword }) => keyword)).not.toContain('RUN');
});

test('its SBOM lists each of its packages with the version, and nothing else', async () => {
  const sbom = JSON.parse(await readFile(path.join(broker, 'sbom.cdx.json'), 'utf8'));
  const listed: string[] = sbom.components.map(
    ({ name, version }: { name: string; version: string }) => `${name}@${version}`,
  );

  expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { type: 'application' } } });
  expect(listed.sort()).toEqual([...new Set(installedPackages(broker).values())].sort());
});

test('it says of itself what the task on AWS says of it', () => {
  const { Command, Interval, Timeout, Retries, StartPeriod } = task.HealthCheck;
  expect(build.image).toMatchObject({
    user: task.User,
    ports: task.PortMappings.map(({ ContainerPort }) => ContainerPort),
    healthCheck: {
      command: Command.slice(1),
      options: {
        interval: `${Interval}s`,
        timeout: `${Timeout}s`,
        retries: `${Retries}`,
        'start-period': `${StartPeriod}s`,
      },
    },
  });
});

test('nobody can write there', async () => {
  const { isIsolated } = new Container(build.image);
  // Where the file system forbids, its owner may not either; where modes do, they must hold for the image's user.
  const container = new Container(isIsolated ? { ...build.image, user: '0' } : build.image);
  const places = ['new', 'dist/broker/new', 'node_modules/new', 'package.json', 'dist/broker/main.mjs'];
  if (isIsolated) places.push('/new', '/tmp/new', '/etc/new', '/usr/new');
  const script = `
    const tried = (file) => { try { fs.appendFileSync(file, ''); return 'written'; } catch ({ code }) { return code; } };
    console.log(process.argv.slice(1).map(tried).join());`;

  const { output } = await container.run(['node', '-e', script, ...places]);

  expect(output.trim().split(',')).toEqual(places.map(() => (isIsolated ? 'EROFS' : 'EACCES')));
});

test('there it starts, answers, passes the health check of the task until it is stopped, and drains with code 0', async () => {
  const { container, settings } = await containerOf(build.image);
  const before = await listing(build.image.root);
  const running = await started(container, settings);
  const [form, ...healthCheck] = task.HealthCheck.Command;
  expect(form).toBe('CMD');

  expect(await ask(running, "SELECT 'asked'")).toEqual([['asked']]);
  expect(await container.run(healthCheck, running.environment)).toEqual({ exitCode: 0, output: '' });

  const slow = ask(running, 'SELECT SLEEP(1)');
  await untilRunning(database, '%SLEEP%');
  running.child.kill('SIGTERM');
  expect(await slow).toEqual([[expect.anything()]]);
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect((await container.run(healthCheck, running.environment)).exitCode).toBe(1);
  expect(await listing(build.image.root)).toBe(before);
});

test('it serves as infra/compose.yaml starts it', async () => {
  const compose = await readCompose();
  const { MYSQL_DATABASE = '', MYSQL_USER = '', MYSQL_PASSWORD = '' } = compose.services.mysql.environment;
  await database.admin.createDatabase(MYSQL_DATABASE);
  await database.admin.createUser({ user: MYSQL_USER, password: MYSQL_PASSWORD, database: MYSQL_DATABASE });
  const files = secretFiles(compose);
  const container = new Container(build.image, files);
  const { host, port } = database.server;
  let settings = compose.services.broker.environment.BROKER_SETTINGS ?? '';
  settings = settings.replace('host: mysql\n', `host: ${host}\n    port: ${port}\n`);
  for (const file of Object.keys(files)) settings = settings.replace(file, container.pathOf(file));

  const running = await started(container, settings);

  expect(await ask(running, 'SELECT DATABASE()', 'demo-key')).toEqual([[MYSQL_DATABASE]]);
  running.child.kill('SIGTERM');
  expect(await running.ended).toMatchObject({ exitCode: 0 });
});

test('an image without the bundled broker does not start', async () => {
  const image = await rebuilt(dockerfile.replace(/^COPY --from=build .*\n/m, ''));
  const { container, settings } = await containerOf(image);
  await expect(container.start({ BROKER_SETTINGS: settings })).rejects.toThrow('Cannot find module');
});

test('an image whose broker writes a file does not start', async () => {
  const writes = "data:text/javascript,import fs from 'node:fs'; fs.writeFileSync('started', '')";
  const [node = '', ...rest] = build.image.command;
  const { container, settings } = await containerOf({
    ...build.image,
    command: [node, '--import', writes, ...rest],
  });
  await expect(container.start({ BROKER_SETTINGS: settings })).rejects.toThrow(/EROFS|EACCES/);
});

test('an image of a project that needs a package for development only does not start', async () => {
  // What is in the bundle is no longer looked for.
  const unbundled = '@aws-sdk/client-secrets-manager';
  const changed = path.join(folder, 'changed');
  await mkdir(changed);
  for (const file of ['package.json', 'package-lock.json'])
    await cp(path.join(PROJECT, file), path.join(changed, file));
  const moved = JSON.parse(await readFile(path.join(changed, 'package.json'), 'utf8'));
  moved.devDependencies[unbundled] = moved.dependencies[unbundled];
  delete moved.dependencies[unbundled];
  await writeFile(path.join(changed, 'package.json'), JSON.stringify(moved));

  const image = await rebuilt(dockerfile, { context: { folder: changed, ignores }, anew: 'dependencies' });
  const { container } = await containerOf(image);
  await expect(container.start({ BROKER_SETTINGS_SECRET: 'settings' })).rejects.toThrow(
    'Secrets Manager did not answer (Error)',
  );
});

/** Each file and folder with its size and the time of its last change. */
async function listing(root: string): Promise<string> {
  return (await run('find', [root, '-printf', '%p %s %T@\n'])).output;
}
