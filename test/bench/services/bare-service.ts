import Fastify, { type FastifyInstance } from 'fastify';
import type { FieldPacket, QueryError } from 'mysql2';

export interface Question {
  readonly sql: string;
  readonly params?: unknown[];
}

export type Answered = (error: QueryError | null, rows?: unknown, fields?: FieldPacket[]) => void;

/** A route that answers with what `ask` finds, unchecked. */
export function buildBareService(ask: (question: Question, answered: Answered) => void): FastifyInstance {
  const app = Fastify();
  for (const path of ['/readyz', '/healthz']) app.get(path, async () => ({}));
  app.post<{ Body: Question }>('/v1/databases/default/query', (request, reply) => {
    ask(request.body, (error, rows, fields) => {
      if (error) void reply.code(500).send({ error: { code: error.code } });
      else void reply.send({ columns: fields?.map(({ name }) => ({ name })), rows });
    });
  });
  return app;
}

/** With room for a burst, as the broker has it. */
export async function serve(app: FastifyInstance): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 10_000 });
}
