import * as z from 'zod';
import { everyCallFindsRoom } from '../buffered-bytes.ts';
import { line, pathText, problem } from '../problems.ts';
import { SecretsSettings, ServerSettings } from '../process-settings.ts';
import { CallerSettings, LimitSettings } from '../settings.ts';
import { type Check, checkOf, entriesOf, inEach } from './check.ts';
import { DATABASE_CHECKS } from './database-checks.ts';
import { serverChecks } from './server-checks.ts';

const QueryTime = z.object({ limits: LimitSettings.pick({ queryTimeoutMs: true }).strip().prefault({}) });

/** Invalid aliases are left out. */
const drainOutlivesEveryQuery = checkOf(
  z.object({ server: ServerSettings.prefault({}), databases: z.unknown() }),
  ({ server: { drainDelayMs, drainTimeoutMs }, databases }, path) => {
    const longestQueryMs = Math.max(
      0,
      ...entriesOf({ databases }, 'databases').map(
        ([, alias]) => QueryTime.safeParse(alias).data?.limits.queryTimeoutMs ?? 0,
      ),
    );
    const leastMs = drainDelayMs + longestQueryMs;
    const allowed = `at least drainDelayMs + the largest queryTimeoutMs, which is ${leastMs}`;
    return drainTimeoutMs >= leastMs
      ? []
      : [problem([...path, 'server', 'drainTimeoutMs'], drainTimeoutMs, allowed)];
  },
);

const minRefreshIsAtMostRefresh = checkOf(
  z.object({ secrets: SecretsSettings }),
  ({ secrets: { refreshIntervalMs, minRefreshIntervalMs } }, path) =>
    minRefreshIntervalMs <= refreshIntervalMs
      ? []
      : [
          problem(
            [...path, 'secrets', 'minRefreshIntervalMs'],
            minRefreshIntervalMs,
            `at most refreshIntervalMs, which is ${refreshIntervalMs}`,
          ),
        ],
);

const Keys = z.object({ keySha256: z.unknown().optional(), keySecret: z.unknown().optional() });

const callerHasOneKey = checkOf(Keys, ({ keySha256, keySecret }, path) => {
  const allowed = 'exactly one of keySha256, keySecret';
  if (keySha256 === undefined && keySecret === undefined) return [line(path, 'neither', allowed)];
  return keySha256 !== undefined && keySecret !== undefined ? [line(path, 'both', allowed)] : [];
});

const callersNameKnownAliases: Check = (document, path) => {
  const aliases = entriesOf(document, 'databases').map(([alias]) => alias);
  const namesKnownAliases = checkOf(
    z.object({ databases: CallerSettings.shape.databases }),
    ({ databases }, callerPath) =>
      databases.flatMap((alias, index) =>
        alias === '*' || aliases.includes(alias)
          ? []
          : [
              problem(
                [...callerPath, 'databases', index],
                alias,
                `* or a known alias: ${aliases.map((known) => pathText([known])).join(', ')}`,
              ),
            ],
      ),
  );
  return inEach('callers', namesKnownAliases)(document, path);
};

const OneKey = CallerSettings.pick({ keySha256: true, keySecret: true }).strip();

const everyKeyHasOneCaller: Check = (document) => {
  const holders = new Map<string, string>();
  return entriesOf(document, 'callers').flatMap(([name, caller]) => {
    const { keySha256, keySecret } = OneKey.safeParse(caller).data ?? {};
    const key = keySha256 ?? keySecret;
    if (key === undefined) return [];
    const holder = holders.get(key);
    holders.set(key, holder ?? name);
    if (holder === undefined) return [];
    const field = keySha256 === undefined ? 'keySecret' : 'keySha256';
    return [line(['callers', name, field], `the key of ${pathText([holder])}`, 'a key of its own')];
  });
};

const somebodyMayCall = checkOf(
  z.object({
    allowAnonymous: z.boolean().default(false),
    callers: z.record(z.string(), z.unknown()).default({}),
  }),
  ({ allowAnonymous, callers }, path) =>
    allowAnonymous || Object.keys(callers).length > 0
      ? []
      : [line([...path, 'callers'], 'none', 'at least one caller, or allowAnonymous: true')],
);

/** Rules between the parts of a document, if `peakTasks` tasks share the database servers. */
export function crossChecks(peakTasks: number): readonly Check[] {
  return [
    ...DATABASE_CHECKS.map((check) => inEach('databases', check)),
    inEach('callers', callerHasOneKey),
    callersNameKnownAliases,
    everyKeyHasOneCaller,
    somebodyMayCall,
    ...serverChecks(peakTasks),
    drainOutlivesEveryQuery,
    everyCallFindsRoom,
    minRefreshIsAtMostRefresh,
  ];
}
