import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../../lib/settings/load-settings.ts';
import { PROJECT } from '../support/project.ts';
import { COMPOSE_FOLDER, readCompose, secretFiles } from './support/compose.ts';
import { parseDockerfile } from './support/image/dockerfile.ts';
import { readTaskContainer } from './support/image/task-container.ts';

const compose = await readCompose();
const { mysql, broker } = compose.services;
const task = await readTaskContainer();
const { settings, host, port } = await loadSettings(broker.environment);
const [loginFile = ''] = Object.values(secretFiles(compose));

/** What the image says by an instruction. */
async function ofImage(keyword: string): Promise<string[]> {
  const { context = '', dockerfile = '' } = broker.build ?? {};
  const file = path.join(COMPOSE_FOLDER, context, dockerfile);
  expect(path.relative(PROJECT, file)).toBe('infra/Dockerfile');
  const instructions = parseDockerfile(await readFile(file, 'utf8')).at(-1)?.instructions ?? [];
  return instructions.filter((instruction) => instruction.keyword === keyword).map(({ text }) => text);
}

test('the broker is as confined as the task on AWS, by the user of the image', async () => {
  expect(broker).toMatchObject({
    user: task.User,
    read_only: true,
    init: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  });
  expect(await ofImage('USER')).toEqual([task.User]);
});

test('the health check is that of the image', async () => {
  expect(broker).not.toHaveProperty('healthcheck');
  expect(await ofImage('HEALTHCHECK')).toHaveLength(1);
});

test('the broker may drain to its end', () => {
  const { stop_grace_period: grace } = broker;
  expect(grace).toMatch(/^\d+s$/);
  expect(Number.parseInt(String(grace), 10) * 1_000).toBeGreaterThan(settings.server.drainTimeoutMs);
});

test('only this machine reaches the broker, at the port of the image, and nobody the database', async () => {
  const [exposed = ''] = await ofImage('EXPOSE');
  expect([String(port), String(task.PortMappings[0]?.ContainerPort)]).toEqual([exposed, exposed]);
  expect(host).toBe('0.0.0.0');
  expect(broker.ports).toEqual([`127.0.0.1:8080:${exposed}`]);
  expect(mysql).not.toHaveProperty('ports');
});

test('the login is a file, the only kind of secret that a read-only container takes, and fits the database', async () => {
  const { MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD } = mysql.environment;
  const login = JSON.parse(await readFile(loginFile, 'utf8'));

  expect(settings.databases.default).toMatchObject({
    host: 'mysql',
    database: MYSQL_DATABASE,
    credentials: { file: Object.keys(secretFiles(compose))[0] },
  });
  expect(login).toEqual({ username: MYSQL_USER, password: MYSQL_PASSWORD });
});
