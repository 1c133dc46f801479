import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { certificatesIn } from './certificates.ts';
import { errorCode, line } from './problems.ts';
import type { Settings } from './settings.ts';

/** A line for each file in the settings that cannot be used for TLS. Their paths must be absolute. */
export async function tlsFileProblems({ databases, server }: Settings): Promise<string[]> {
  const problems = await Promise.all([
    ...Object.entries(databases).map(async ([alias, { tls }]) =>
      typeof tls === 'string' ? [] : await authorityProblems(['databases', alias, 'tls', 'ca'], tls.ca),
    ),
    server.tls === undefined ? [] : serverProblems(server.tls),
  ]);
  return problems.flat();
}

async function authorityProblems(path: readonly string[], file: string): Promise<string[]> {
  const allowed = 'a file of CA certificates (PEM)';
  const { text, failure } = await readText(file);
  if (text === undefined) return [line(path, failure, allowed)];
  return certificatesIn(text) === undefined
    ? [line(path, 'a file without certificates, or with a broken one', allowed)]
    : [];
}

async function serverProblems(files: { cert: string; key: string }): Promise<string[]> {
  const [cert, key] = await Promise.all([readText(files.cert), readText(files.key)]);
  const unreadable = Object.entries({ cert, key }).flatMap(([name, { failure }]) =>
    failure === undefined ? [] : [line(['server', 'tls', name], failure, 'a file (PEM)')],
  );
  if (unreadable.length > 0) return unreadable;
  try {
    createSecureContext({ cert: cert.text, key: key.text });
    return [];
  } catch (error) {
    const found = `files that cannot be used (${errorCode(error)})`;
    return [line(['server', 'tls'], found, 'a certificate and its key, without a passphrase (PEM)')];
  }
}

type FileText =
  | { readonly text: string; readonly failure?: never }
  | { readonly text?: never; readonly failure: string };

async function readText(file: string): Promise<FileText> {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    return { failure: `a file that cannot be read (${errorCode(error)})` };
  }
}
