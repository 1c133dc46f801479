import type { TestDatabase } from '../../../support/database/database.ts';
import type { HttpReply } from '../../../support/http.ts';

type Post = (path: string, body: unknown) => Promise<HttpReply>;

const WRITE = { sql: "INSERT INTO written (who) VALUES ('callers')" };

/** The empty table `written (id, who)`. */
export async function createWritten({ admin }: TestDatabase): Promise<void> {
  await admin.query('DROP TABLE IF EXISTS app.written');
  await admin.query(
    'CREATE TABLE app.written (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20)) ENGINE = InnoDB',
  );
}

export async function rowsWrittenBy({ admin }: TestDatabase, who: string): Promise<number> {
  const [row] = await admin.query('SELECT COUNT(*) AS n FROM app.written WHERE who = ?', [who]);
  return Number(row?.n);
}

/** Reads, writes and transactions of one call by turns, on that table, and what came of the writes. */
export class WritingCallers {
  readonly #post: Post;
  /** Rows that were said to be written. */
  written = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  readonly ask = async (turn: number): Promise<HttpReply> => {
    if (turn % 10 === 0) return await this.#write(this.#post('/v1/databases/default/query', WRITE), 1);
    if (turn % 10 === 1) {
      const body = { statements: [WRITE, WRITE] };
      return await this.#write(this.#post('/v1/databases/default/transaction', body), 2);
    }
    const sql = 'SELECT id, who FROM written WHERE id = ?';
    return await this.#post('/v1/databases/default/query', { sql, params: [turn] });
  };

  async #write(replying: Promise<HttpReply>, rows: number): Promise<HttpReply> {
    const reply = await replying;
    if (reply.status === 200) this.written += rows;
    return reply;
  }
}
