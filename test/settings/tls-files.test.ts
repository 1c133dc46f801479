import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { tlsFileProblems } from '../../lib/settings/tls-files.ts';
import { TestAuthority } from '../support/certificates.ts';
import { documentWith } from './support/documents.ts';

const authority = new TestAuthority();
const [served, other] = [authority.issue(), authority.issue()];
const empty = join(authority.folder, 'empty.pem');
writeFileSync(empty, 'SECRET');
const broken = join(authority.folder, 'broken.pem');
writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nU0VDUkVU\n-----END CERTIFICATE-----\n');
const nowhere = join(authority.folder, 'nowhere.pem');

afterAll(() => authority[Symbol.dispose]());

describe('a CA file', () => {
  const problemsOf = async (ca: string) =>
    await tlsFileProblems(parseSettings(documentWith({ tls: { ca } })));
  const ALLOWED = 'allowed a file of CA certificates (PEM)';
  const USELESS = `databases.default.tls.ca: found a file without certificates, or with a broken one, ${ALLOWED}`;

  test('of certificates is accepted', async () => {
    expect(await problemsOf(authority.ca)).toEqual([]);
  });

  test.each([
    [nowhere, `databases.default.tls.ca: found a file that cannot be read (ENOENT), ${ALLOWED}`],
    [authority.folder, `databases.default.tls.ca: found a file that cannot be read (EISDIR), ${ALLOWED}`],
    [empty, USELESS],
    [broken, USELESS],
    [served.key, USELESS],
  ])('%# that is of no use stops the start', async (file, line) => {
    expect(await problemsOf(file)).toEqual([line]);
  });
});

describe('a certificate for the broker', () => {
  const problemsOf = async (cert: string, key: string) =>
    await tlsFileProblems(parseSettings(documentWith({}, { server: { tls: { cert, key } } })));

  test('with its key is accepted', async () => {
    expect(await problemsOf(served.cert, served.key)).toEqual([]);
  });

  test('or a key that is not there stops the start', async () => {
    expect(await problemsOf(nowhere, nowhere)).toEqual([
      'server.tls.cert: found a file that cannot be read (ENOENT), allowed a file (PEM)',
      'server.tls.key: found a file that cannot be read (ENOENT), allowed a file (PEM)',
    ]);
  });

  test.each([
    [served.cert, other.key],
    [empty, served.key],
    [served.cert, empty],
  ])('%# with a key that is not its own stops the start', async (cert, key) => {
    expect(await problemsOf(cert, key)).toEqual([
      expect.stringMatching(
        /^server\.tls: found files that cannot be used \(ERR_\w+\), allowed a certificate/,
      ),
    ]);
  });
});
