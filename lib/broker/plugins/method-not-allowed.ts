import type { FastifyInstance, HTTPMethods } from 'fastify';
import { BrokerError } from '../../errors.ts';

const METHODS: readonly HTTPMethods[] = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** Answers 405 where an address exists, but not for this method. Must be called before the routes are added. */
export function refuseOtherMethods(app: FastifyInstance): { addTo: () => void } {
  const methodsByUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const one of Array.isArray(method) ? method : [method]) methods.add(one);
    methodsByUrl.set(url, methods);
  });
  return {
    addTo: () => {
      for (const [url, allowed] of [...methodsByUrl]) {
        const allow = [...allowed].join(', ');
        const refuse = async () => {
          throw new BrokerError('METHOD_NOT_ALLOWED', `Only ${allow} is allowed here`);
        };
        app.route({
          url,
          method: METHODS.filter((method) => !allowed.has(method)),
          // Before the body is read.
          onRequest: async (_request, reply) => {
            void reply.header('allow', allow);
            await refuse();
          },
          handler: refuse,
        });
      }
    },
  };
}
