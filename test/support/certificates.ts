import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of a certificate and its key, as PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

interface CertificateOptions {
  /** Default: for `localhost` and 127.0.0.1. */
  readonly subjectAltName?: string;
  /** Negative: expired so many days ago. */
  readonly days?: number;
}

/** A CA of a test's own, made by openssl in a temporary folder. */
export class TestAuthority implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ca-'));
  /** Path of its own certificate. */
  readonly ca: string;
  readonly #key: string;
  #issued = 0;

  constructor(name = 'Test CA') {
    this.ca = join(this.folder, 'ca.pem');
    this.#key = join(this.folder, 'ca.key');
    openssl('req', '-x509', ...NEW_KEY, this.#key, '-days', '2', '-subj', `/CN=${name}`, '-out', this.ca);
  }

  issue({
    subjectAltName = 'DNS:localhost,IP:127.0.0.1',
    days = 2,
  }: CertificateOptions = {}): CertificateFiles {
    this.#issued += 1;
    const file = (extension: string) => join(this.folder, `${this.#issued}.${extension}`);
    const [key, request, extensions, cert] = [file('key'), file('csr'), file('ext'), file('pem')];
    openssl('req', ...NEW_KEY, key, '-subj', '/CN=test', '-out', request);
    writeFileSync(extensions, `subjectAltName=${subjectAltName}\n`);
    const signer = ['-CA', this.ca, '-CAkey', this.#key, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      request,
      ...signer,
      '-days',
      `${days}`,
      '-extfile',
      extensions,
      '-out',
      cert,
    );
    return { cert, key };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Puts a certificate and its key in the place of others. */
export function replaceCertificate(from: CertificateFiles, to: CertificateFiles): void {
  copyFileSync(from.cert, to.cert);
  copyFileSync(from.key, to.key);
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout'];

function openssl(...commands: string[]): void {
  execFileSync('openssl', commands, { stdio: 'ignore' });
}
