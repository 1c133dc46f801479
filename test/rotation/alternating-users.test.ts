import { describe, expect, test } from 'vitest';
import { ROTATION_STEPS } from '../../lib/protocol/rotation.ts';
import { type SecretFields, useRotatingDatabase } from './support/rotating-database.ts';

const place = await useRotatingDatabase();
const { admin, server } = place.database;
const { secrets } = place;
const isMysql = server.flavour === 'mysql';
const masterarn = place.putMaster('master');
let users = 0;

interface Given {
  readonly host?: string;
  readonly username?: string;
  readonly master?: string;
}

/** A secret with a user of its own, which a master manages. */
async function newSecret({ host = '%', username, master = masterarn }: Given = {}) {
  users += 1;
  const user = username ?? `turn${users}`;
  await admin.query('CREATE USER ?@? IDENTIFIED BY ?', [user, host, 'first-password']);
  const name = `alternating-${users}`;
  place.put(name, { username: user, password: 'first-password', masterarn: master, dbname: '' });
  return { name, user };
}

/** What SHOW GRANTS says, with the account left out. */
async function grantsOf(user: string, host = '%'): Promise<string[]> {
  const rows = await admin.query('SHOW GRANTS FOR ?@?', [user, host]);
  return rows
    .map((row) => String(Object.values(row)[0]))
    .map((text) => text.replace(/ IDENTIFIED BY PASSWORD '[^']*'/, '').replaceAll(user, '*'))
    .sort();
}

describe('a rotation of two users that take turns', () => {
  test('creates the clone, then changes the password of the one whose turn it is, and leaves the other alone', async () => {
    const { name, user } = await newSecret();
    const first = place.fieldsOf(name, 'AWSCURRENT');
    await place.rotate(name);
    const second = place.fieldsOf(name, 'AWSCURRENT');
    expect(second).toEqual({ ...first, username: `${user}_clone`, password: expect.any(String) });
    expect([await place.letsIn(first), await place.letsIn(second)]).toEqual([true, true]);
    await place.rotate(name);
    const third = place.fieldsOf(name, 'AWSCURRENT');
    expect(third).toEqual({ ...first, password: expect.any(String) });
    const all = [await place.letsIn(first), await place.letsIn(second), await place.letsIn(third)];
    expect(all).toEqual([false, true, true]);
  });

  test('changes nothing more when each of its steps is done twice', async () => {
    const { name } = await newSecret();
    await place.rotate(name);
    const token = secrets.beginRotation(name);
    for (const step of ROTATION_STEPS) {
      await place.step(name, step, token);
      await place.step(name, step, token);
    }
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
  });

  test('completes the grants when it was cut off before, though the password worked already', async () => {
    const { name, user } = await newSecret();
    const token = secrets.beginRotation(name);
    await place.step(name, 'createSecret', token);
    const pending = place.fieldsOf(name, 'AWSPENDING');
    await admin.query("CREATE USER ?@'%' IDENTIFIED BY ?", [pending.username, pending.password]);
    await admin.query("GRANT ALL ON app.* TO ?@'%'", [user]);
    await place.rotate(name, token);
    expect(await grantsOf(`${user}_clone`)).toEqual(await grantsOf(user));
  });
});

describe('the clone gets', () => {
  test('grants of every kind', async () => {
    const { name, user } = await newSecret();
    for (const statement of [
      'CREATE DATABASE `odd `` TO db`',
      'CREATE TABLE `odd `` TO db`.`a "GRANT OPTION" b` (`x TO y` INT, z INT)',
      'CREATE TABLE app.dropped (id INT)',
      'CREATE PROCEDURE app.proc() SELECT 1',
      'CREATE FUNCTION app.func() RETURNS INT DETERMINISTIC RETURN 1',
    ]) {
      await admin.query(statement);
    }
    for (const grant of [
      'PROCESS, SHOW DATABASES ON *.*',
      'SELECT, INSERT ON `app`.*',
      'SELECT ON `test\\_%`.*',
      'ALL ON `odd `` TO db`.* #',
      'UPDATE, DELETE ON `odd `` TO db`.`a "GRANT OPTION" b`',
      'SELECT (`x TO y`, z), INSERT (z) ON `odd `` TO db`.`a "GRANT OPTION" b`',
      'SELECT ON app.dropped',
      'EXECUTE ON PROCEDURE app.proc #',
      'EXECUTE, ALTER ROUTINE ON FUNCTION app.func',
    ]) {
      const [what = '', option] = grant.split(' #');
      await admin.query(`GRANT ${what} TO ?@'%'${option === undefined ? '' : ' WITH GRANT OPTION'}`, [user]);
    }
    const before = await grantsOf(user);
    expect(before.length).toBeGreaterThan(7);
    await place.rotate(name);
    expect(await grantsOf(`${user}_clone`)).toEqual(before);
    // And back again; a grant on what is gone is nobody's loss.
    await admin.query('DROP TABLE app.dropped');
    await place.rotate(name);
    expect(await grantsOf(user)).toEqual(before);
  });

  test('the right to grant that stands alone', async () => {
    const { name, user } = await newSecret();
    await admin.query("GRANT USAGE ON *.* TO ?@'%' WITH GRANT OPTION", [user]);
    await place.rotate(name);
    expect((await grantsOf(`${user}_clone`)).join()).toContain('WITH GRANT OPTION');
  });

  test('roles, the default one and the right to grant them', async () => {
    const { name, user } = await newSecret();
    await admin.query('CREATE ROLE reader, keeper');
    await admin.query('GRANT SELECT ON app.* TO reader');
    await admin.query("GRANT reader TO ?@'%'", [user]);
    await admin.query("GRANT keeper TO ?@'%' WITH ADMIN OPTION", [user]);
    await admin.query(isMysql ? "SET DEFAULT ROLE reader TO ?@'%'" : "SET DEFAULT ROLE reader FOR ?@'%'", [
      user,
    ]);
    await place.rotate(name);
    expect(await grantsOf(`${user}_clone`)).toEqual(await grantsOf(user));
    const rows = await place.query(place.fieldsOf(name, 'AWSCURRENT'), 'SELECT CURRENT_ROLE() AS role');
    expect(JSON.stringify(rows)).toContain('reader');
  });

  test('the host of the other user', async () => {
    const { name, user } = await newSecret({ host: '127.0.0.0/255.0.0.0' });
    await admin.query('GRANT SELECT ON app.* TO ?@?', [user, '127.0.0.0/255.0.0.0']);
    await place.rotate(name);
    expect(await place.letsIn(place.fieldsOf(name, 'AWSCURRENT'))).toBe(true);
    expect(await grantsOf(`${user}_clone`, '127.0.0.0/255.0.0.0')).toHaveLength(2);
    const anywhere = "SELECT * FROM mysql.user WHERE user = ? AND host = '%'";
    expect(await admin.query(anywhere, [`${user}_clone`])).toEqual([]);
  });

  test('a name as odd as that of the other user', async () => {
    const { name, user } = await newSecret({ username: "o'dd `TO` @\\" });
    await admin.query("GRANT SELECT ON app.* TO ?@'%'", [user]);
    await place.rotate(name);
    await place.rotate(name);
    expect(place.fieldsOf(name, 'AWSCURRENT').username).toBe(user);
    expect(await place.letsIn(place.fieldsOf(name, 'AWSPREVIOUS'))).toBe(true);
    expect(await grantsOf(`${user}_clone`)).toHaveLength(2);
  });

  test('limits, and none that the other user has no more', async () => {
    const { name, user } = await newSecret();
    const limitsOf = async (username: string) =>
      await admin.query('SELECT max_questions, max_user_connections FROM mysql.user WHERE user = ?', [
        username,
      ]);
    await admin.query("ALTER USER ?@'%' WITH MAX_QUERIES_PER_HOUR 1000 MAX_USER_CONNECTIONS 7", [user]);
    await place.rotate(name);
    expect(await limitsOf(`${user}_clone`)).toEqual([{ max_questions: 1000, max_user_connections: 7 }]);
    await admin.query("ALTER USER ?@'%' WITH MAX_QUERIES_PER_HOUR 0", [`${user}_clone`]);
    await place.rotate(name);
    expect(await limitsOf(user)).toEqual([{ max_questions: 0, max_user_connections: 7 }]);
  });
});

// MySQL accounts have no such limit.
test.skipIf(server.flavour === 'mysql')('the other user has the same MAX_STATEMENT_TIME', async () => {
  const { name, user } = await newSecret();
  await admin.query("ALTER USER ?@'%' WITH MAX_STATEMENT_TIME 2.5", [user]);
  await place.rotate(name);
  const [row] = await admin.query('SELECT max_statement_time AS t FROM mysql.user WHERE user = ?', [
    `${user}_clone`,
  ]);
  expect(Number(row?.t)).toBe(2.5);
});

describe('nothing is changed', () => {
  async function rejected(name: string, forged: Partial<SecretFields> = {}): Promise<unknown> {
    const token = secrets.beginRotation(name);
    await place.step(name, 'createSecret', token);
    if (Object.keys(forged).length > 0) {
      secrets.fill(name, token, JSON.stringify({ ...place.fieldsOf(name, 'AWSPENDING'), ...forged }));
    }
    return await place.step(name, 'setSecret', token).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  test('for a pending version of a user whose turn it is not', async () => {
    const { name, user } = await newSecret();
    for (const username of ['root', user]) {
      expect(await rejected(name, { username })).toMatchObject({ code: 'INVALID_REQUEST' });
      secrets.cancelRotation(name);
    }
  });

  test('by the hand of the master for somebody who cannot log in himself', async () => {
    const { name, user } = await newSecret();
    place.put(name, { username: user, password: 'guessed', masterarn });
    expect(await rejected(name)).toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    expect(await admin.query('SELECT user FROM mysql.user WHERE user = ?', [`${user}_clone`])).toEqual([]);
  });

  test('by a master of another host, or of one that only the rotated secret names', async () => {
    for (const [host, reason] of [
      ['db.elsewhere', 'another host'],
      [null, 'has no host'],
    ]) {
      const { user, password } = server;
      place.put(`master-at-${host}`, { username: user, password, host });
      const { name } = await newSecret({ master: secrets.arnOf(`master-at-${host}`) });
      expect(await rejected(name)).toMatchObject({ reason: expect.stringContaining(String(reason)) });
    }
  });

  test('when the secret names a master that is not there, or the user itself', async () => {
    const lost = await newSecret({
      master: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:gone-AbCdEf',
    });
    expect(await rejected(lost.name)).toMatchObject({ reason: expect.stringContaining('masterarn') });
    place.put('root-itself', { username: server.user, password: server.password, masterarn });
    expect(await rejected('root-itself')).toMatchObject({
      reason: expect.stringContaining('of the master itself'),
    });
  });

  test('when the name of the clone would be too long', async () => {
    const { name } = await newSecret({ username: 'a-name-of-twenty-seven-chars' });
    await expect(place.rotate(name)).rejects.toMatchObject({
      reason: expect.stringContaining('longer than 32'),
    });
  });
});

test('a master without the rights is told so by number, and no secret shows in any failure', async () => {
  await admin.query("CREATE USER weak@'%' IDENTIFIED BY 'weak-password'");
  place.put('weak-master', { username: 'weak', password: 'weak-password' });
  const { name } = await newSecret({ master: secrets.arnOf('weak-master') });
  const token = secrets.beginRotation(name);
  await place.step(name, 'createSecret', token);
  const error: unknown = await place.step(name, 'setSecret', token).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'SQL_ERROR', mysql: { errno: expect.any(Number) } });
  const { inspect } = await import('node:util');
  const shown = inspect(error, { depth: 10, showHidden: true });
  for (const label of ['AWSCURRENT', 'AWSPENDING']) {
    expect(shown).not.toContain(place.fieldsOf(name, label).password);
  }
  expect(shown).not.toContain('weak');
});
