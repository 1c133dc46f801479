import { readFile } from 'node:fs/promises';
import { certificatesIn } from '../../settings/certificates.ts';
import { authoritiesUnusable } from '../connect-errors.ts';

/**
 * A file of CA certificates, read at each login, so that CAs are replaced without a restart. While it is unusable, as
 * during a write, its last good content is used.
 */
export class AuthorityFile<T extends object> {
  readonly #path: string;
  readonly #build: (authorities: string[]) => T;
  #text: string | undefined;
  #built: T | undefined;

  /** @param build Called once for each content of the file. */
  constructor(path: string, build: (authorities: string[]) => T) {
    this.#path = path;
    this.#build = build;
  }

  /** @throws {BrokerError} DATABASE_UNREACHABLE: the file was never usable. */
  async current(): Promise<T> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined);
    if (text !== undefined && text !== this.#text) {
      this.#text = text;
      const authorities = certificatesIn(text);
      if (authorities !== undefined) this.#built = this.#build(authorities);
    }
    if (this.#built !== undefined) return this.#built;
    throw authoritiesUnusable();
  }
}
