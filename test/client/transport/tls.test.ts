import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { fixedKey } from '../../../lib/client/transport/caller-key.ts';
import { HttpTransport } from '../../../lib/client/transport/http-transport.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'client-tls-'));
const request = { method: 'GET', path: '/readyz', timeoutMs: 5_000 } as const;
let server: Server;
let url: URL;
let handshakes = 0;
let connections = 0;

beforeAll(async () => {
  const [key, cert] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...args, ...subject], { stdio: 'ignore' });
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  server.on('secureConnection', () => {
    handshakes += 1;
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = new URL(`https://localhost:${typeof address === 'object' ? address?.port : ''}`);
});

afterEach(() => vi.unstubAllEnvs());

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

test('refuses a certificate that it cannot trust, at once and before anything is sent', async () => {
  await expect(new HttpTransport(url, fixedKey('k')).send(request)).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    outcome: 'not_applied',
    message: 'The broker could not be reached (DEPTH_ZERO_SELF_SIGNED_CERT)',
  });
  expect(connections).toBe(1);
});

test('keeps its TLS connection for the next request', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const transport = new HttpTransport(url, fixedKey('k'));
  handshakes = 0;

  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });
  await expect(transport.send(request)).resolves.toMatchObject({ status: 200 });

  expect(handshakes).toBe(1);
});
