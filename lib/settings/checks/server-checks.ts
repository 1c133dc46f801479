import * as z from 'zod';
import { line, problem } from '../problems.ts';
import { MYSQL_PORT, serverLimitOf, taskShare } from '../servers.ts';
import { PoolSettings, Settings } from '../settings.ts';
import { type Check, checkOf, entriesOf, inEach } from './check.ts';

const Limits = z.object({ servers: Settings.shape.servers.unwrap() });
const Endpoint = z.object({ host: z.string().optional(), port: z.int().optional() });

/** A check of each alias, in a document that limits servers. */
function inEachLimited(checkWith: (servers: z.output<typeof Limits>['servers']) => Check): Check {
  return (document, path) =>
    checkOf(Limits, ({ servers }) => inEach('databases', checkWith(servers))(document, path))(document, path);
}

/** Otherwise the secret may name another server, and it would be unknown which connections to count. */
const aliasNamesItsServer = inEachLimited(() =>
  checkOf(Endpoint.extend({ credentials: z.record(z.string(), z.unknown()) }), (alias, path) => {
    const { secretId, file } = alias.credentials;
    // Only a secret or a file can name another port.
    const isPortCertain = secretId === undefined && file === undefined;
    const fields = { host: alias.host, port: alias.port ?? (isPortCertain ? MYSQL_PORT : undefined) };
    return Object.entries(fields)
      .filter(([, value]) => value === undefined)
      .map(([name]) => line([...path, name], 'nothing', `a ${name}, because servers limits its connections`));
  }),
);

const sizeFitsItsServer = (peakTasks: number) =>
  inEachLimited((servers) =>
    checkOf(Endpoint.extend({ pool: PoolSettings.prefault({}) }), ({ pool, ...endpoint }, path) => {
      const limit = serverLimitOf(servers, endpoint);
      if (limit === undefined) return [];
      const share = taskShare(limit.maxConnections, peakTasks);
      if (pool.size <= share) return [];
      const allowed =
        peakTasks === 1
          ? `at most maxConnections of its server, which is ${share}`
          : `at most what a task may open on its server, which is ${share} (${limit.maxConnections} for ${peakTasks} tasks)`;
      return [problem([...path, 'pool', 'size'], pool.size, allowed)];
    }),
  );

const limitHasAnAlias: Check = (document, path) =>
  checkOf(Limits, ({ servers }) => {
    const limited = entriesOf(document, 'databases').map(([, alias]) => {
      const endpoint = Endpoint.safeParse(alias).data;
      return endpoint === undefined ? undefined : serverLimitOf(servers, endpoint)?.name;
    });
    return Object.keys(servers)
      .filter((name) => !limited.includes(name))
      .map((name) =>
        line([...path, 'servers', name], 'no alias on it', 'host:port of an alias, or host at 3306'),
      );
  })(document, path);

const minIdlesFitTheirServer =
  (peakTasks: number): Check =>
  (document, path) =>
    checkOf(Limits, ({ servers }) => {
      const pools = entriesOf(document, 'databases').flatMap(([, alias]) => {
        const known = Endpoint.extend({ pool: PoolSettings.prefault({}) }).safeParse(alias).data;
        return known === undefined ? [] : [known];
      });
      return Object.entries(servers).flatMap(([name, { maxConnections }]) => {
        const onIt = pools.filter((endpoint) => serverLimitOf(servers, endpoint)?.name === name);
        const least = onIt.reduce((sum, { pool }) => sum + pool.minIdle, 0) * peakTasks;
        if (least <= maxConnections) return [];
        const tasks = peakTasks === 1 ? '' : ` in ${peakTasks} tasks`;
        const allowed = `at least the sum of minIdle of the aliases on it${tasks}, which is ${least}`;
        return [problem([...path, 'servers', name, 'maxConnections'], maxConnections, allowed)];
      });
    })(document, path);

/** Rules between the limits of servers and the aliases on them, if `peakTasks` tasks share the servers. */
export function serverChecks(peakTasks: number): readonly Check[] {
  return [
    aliasNamesItsServer,
    sizeFitsItsServer(peakTasks),
    limitHasAnAlias,
    minIdlesFitTheirServer(peakTasks),
  ];
}
