import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { BrokerError } from '../../errors.ts';

/** Every method that Node reads. CONNECT goes to no address. */
const ROUTED_METHODS = METHODS.filter((method) => method !== 'CONNECT');

/** Answers 405 where an address exists, but not for this method. Must be called before the routes are added. */
export function refuseOtherMethods(app: FastifyInstance): { addTo: () => void } {
  for (const method of ROUTED_METHODS) {
    // Else Fastify demands a content-type of a QUERY before it looks whether there is anything to ask.
    const isNewToFastify = method === 'QUERY' || !app.supportedMethods.includes(method);
    if (isNewToFastify) app.addHttpMethod(method, { overrideExisting: true });
  }
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
          method: ROUTED_METHODS.filter((method) => !allowed.has(method)),
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
