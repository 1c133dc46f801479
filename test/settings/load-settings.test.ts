import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadSettings } from '../../lib/settings/load-settings.ts';
import { SettingsError } from '../../lib/settings/problems.ts';
import { TestAuthority } from '../support/certificates.ts';
import { FakeSecretsManager } from '../support/rotation/secrets-manager.ts';

const KEY = 'a'.repeat(64);
const authority = new TestAuthority();
const served = authority.issue();
const YAML = `
databases:
  default: &shop
    host: db.internal
    credentials: { file: ./shop.secret.json }
    tls: { ca: certs/ca.pem }
    pool: { size: 3 }
  reporting:
    <<: *shop
    credentials: { username: app, password: secret }
callers:
  orders:
    keySha256: "${KEY}"
    databases: ["*"]
    access: read
server:
  tls: { cert: certs/cert.pem, key: ${served.key} }
`;
const DOCUMENT = {
  databases: { default: { credentials: { secretId: 'prod/shop' } } },
  callers: { orders: { keySha256: KEY, databases: ['*'], access: 'read' } },
};
const INLINE = JSON.stringify(DOCUMENT);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
  await mkdir(join(folder, 'certs'));
  await copyFile(authority.ca, join(folder, 'certs/ca.pem'));
  await copyFile(served.cert, join(folder, 'certs/cert.pem'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  authority[Symbol.dispose]();
});

afterEach(() => {
  vi.unstubAllEnvs();
});

async function fileWith(text: string): Promise<string> {
  const path = join(folder, 'settings.yaml');
  await writeFile(path, text);
  return path;
}

async function problemsWith(environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  try {
    await loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('a settings file', () => {
  test('may be YAML; paths in it are relative to its folder', async () => {
    const { settings } = await loadSettings({ BROKER_SETTINGS_FILE: await fileWith(YAML) });

    expect(settings.databases.default).toMatchObject({
      credentials: { file: join(folder, 'shop.secret.json') },
      tls: { ca: join(folder, 'certs/ca.pem') },
      pool: { size: 3, maxOverflow: 10 },
    });
    expect(settings.server.tls).toEqual({ cert: join(folder, 'certs/cert.pem'), key: served.key });
  });

  test('may repeat a part by an anchor, and merge it', async () => {
    const { settings } = await loadSettings({ BROKER_SETTINGS_FILE: await fileWith(YAML) });

    expect(settings.databases.reporting).toMatchObject({
      host: 'db.internal',
      credentials: { username: 'app', password: 'secret' },
      pool: { size: 3 },
    });
  });

  test('may be JSON, indented with tabs', async () => {
    const { settings } = await loadSettings({
      BROKER_SETTINGS_FILE: await fileWith(JSON.stringify(DOCUMENT, null, '\t')),
    });

    expect(settings.databases.default?.credentials).toEqual({ secretId: 'prod/shop' });
  });

  test('that is not there is named by its variable', async () => {
    expect(await problemsWith({ BROKER_SETTINGS_FILE: join(folder, 'nowhere.yaml') })).toEqual([
      'BROKER_SETTINGS_FILE: the file cannot be read (ENOENT)',
    ]);
  });

  test.each([
    ['databases: {}\ndatabases: {}', 'line 2, column 1: the same key twice (DUPLICATE_KEY)'],
    ['{"a": 1, "a": 2}', 'line 1, column 10: the same key twice (DUPLICATE_KEY)'],
    ['a:\n\tb: 1', 'line 2, column 1: a tab as indentation (TAB_AS_INDENT)'],
    ['a: @x', 'line 1, column 4: a value that begins with this character needs quotes (BAD_SCALAR_START)'],
    [
      'a: !x y',
      'line 1, column 4: a tag (!) is unknown; a value that begins with ! needs quotes (TAG_RESOLVE_FAILED)',
    ],
    ['a: 1\n---\nb: 2', 'line 2, column 1: a second document begins (MULTIPLE_DOCS)'],
  ])('%j is refused with the place of the mistake', async (text, mistake) => {
    expect(await problemsWith({ BROKER_SETTINGS_FILE: await fileWith(text) })).toEqual([
      `BROKER_SETTINGS_FILE: not valid YAML in ${mistake}`,
    ]);
  });

  test('with an alias that has no anchor is refused', async () => {
    expect(await problemsWith({ BROKER_SETTINGS_FILE: await fileWith('a: *hunter2') })).toEqual([
      'BROKER_SETTINGS_FILE: not valid YAML: an alias (*) without its anchor (&), or too many',
    ]);
  });
});

describe('an inline document', () => {
  test('is read from BROKER_SETTINGS; paths in it are relative to the working directory', async () => {
    const databases = { default: { credentials: { file: 'shop.json' } } };
    const { settings } = await loadSettings({ BROKER_SETTINGS: JSON.stringify({ ...DOCUMENT, databases }) });

    expect(settings.databases.default?.credentials).toEqual({ file: resolve('shop.json') });
  });

  test('may not hold a password', async () => {
    const databases = { default: { credentials: { username: 'app', password: 'hunter2' } } };

    expect(await problemsWith({ BROKER_SETTINGS: JSON.stringify({ ...DOCUMENT, databases }) })).toEqual([
      'databases.default.credentials.password: found a password, allowed in BROKER_SETTINGS: secretId or file only',
    ]);
  });
});

describe('a document in a secret', () => {
  test('is read from Secrets Manager, passwords included', async () => {
    await using secrets = await FakeSecretsManager.start();
    for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);
    secrets.put('broker/settings', YAML.replace(/certs\//g, `${folder}/certs/`));

    const { settings } = await loadSettings({ BROKER_SETTINGS_SECRET: 'broker/settings' });

    expect(settings.databases.reporting?.credentials).toEqual({ username: 'app', password: 'secret' });
  });

  test('that does not exist is refused', async () => {
    await using secrets = await FakeSecretsManager.start();
    for (const [name, value] of Object.entries(secrets.environment)) vi.stubEnv(name, value);

    expect(await problemsWith({ BROKER_SETTINGS_SECRET: 'broker/settings' })).toEqual([
      'BROKER_SETTINGS_SECRET: The secret cannot be read: there is no such secret in this region, or it has no current version',
    ]);
  });
});

describe('the environment', () => {
  test('has defaults for address, port and log level; an empty variable counts as not set', async () => {
    const environment = { BROKER_SETTINGS: INLINE, BROKER_SETTINGS_FILE: '', PORT: '', HOST: '' };

    expect(await loadSettings(environment)).toMatchObject({ host: '0.0.0.0', port: 8080, logLevel: 'info' });
  });

  test('sets address, port and log level', async () => {
    const environment = { BROKER_SETTINGS: INLINE, HOST: '::1', PORT: '0', LOG_LEVEL: 'silent' };

    expect(await loadSettings(environment)).toMatchObject({ host: '::1', port: 0, logLevel: 'silent' });
  });

  test('names where the other brokers listen', async () => {
    const BROKER_PEERS = 'broker.shop-dev.internal:8080,10.0.0.7:9000';

    expect((await loadSettings({ BROKER_SETTINGS: INLINE })).peers).toEqual([]);
    expect((await loadSettings({ BROKER_SETTINGS: INLINE, BROKER_PEERS })).peers).toEqual([
      { host: 'broker.shop-dev.internal', port: 8080 },
      { host: '10.0.0.7', port: 9000 },
    ]);
  });

  const PEERS = 'allowed host:port, or several with commas between';
  const SOURCES = 'allowed exactly one of BROKER_SETTINGS_FILE, BROKER_SETTINGS, BROKER_SETTINGS_SECRET';

  test.each<[NodeJS.ProcessEnv, string]>([
    [{}, `environment: found none, ${SOURCES}`],
    [
      { BROKER_SETTINGS: INLINE, BROKER_SETTINGS_SECRET: 'x' },
      `environment: found BROKER_SETTINGS and BROKER_SETTINGS_SECRET, ${SOURCES}`,
    ],
    [{ BROKER_SETTINGS: INLINE, PORT: '65536' }, 'PORT: found "65536", allowed an integer of 0 to 65535'],
    [{ BROKER_SETTINGS: INLINE, PORT: '80x' }, 'PORT: found "80x", allowed an integer of 0 to 65535'],
    [
      { BROKER_SETTINGS: INLINE, LOG_LEVEL: 'loud' },
      'LOG_LEVEL: found "loud", allowed fatal, error, warn, info, debug, trace, silent',
    ],
    [
      { BROKER_SETTINGS: INLINE, BROKER_PEAK_TASKS: '0' },
      'BROKER_PEAK_TASKS: found "0", allowed an integer of at least 1',
    ],
    [{ BROKER_SETTINGS: INLINE, BROKER_PEERS: 'broker' }, `BROKER_PEERS: found "broker", ${PEERS}`],
    [{ BROKER_SETTINGS: INLINE, BROKER_PEERS: 'b:80,c:0' }, `BROKER_PEERS: found "b:80,c:0", ${PEERS}`],
    [{ BROKER_SETTINGS: INLINE, BROKER_PEERS: 'http://b:80' }, `BROKER_PEERS: found a string, ${PEERS}`],
  ])('%j is refused', async (environment, line) => {
    expect(await problemsWith(environment)).toEqual([line]);
  });
});

describe('everybody may call', () => {
  const document = { databases: DOCUMENT.databases, allowAnonymous: true };
  const BROKER_SETTINGS = JSON.stringify(document);

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('on %s', async (HOST) => {
    expect(await problemsWith({ BROKER_SETTINGS, HOST })).toEqual([]);
  });

  test.each([undefined, '0.0.0.0', '::', '127.0.0.1.example.com', '10.0.0.1'])(
    'but not on %s',
    async (HOST) => {
      expect(await problemsWith({ BROKER_SETTINGS, HOST })).toEqual([
        'allowAnonymous: found true, allowed only with HOST a loopback address like 127.0.0.1',
      ]);
    },
  );
});
