import type { Check } from './check.ts';
import { CROSS_CHECKS } from './cross-checks.ts';
import { notYetAvailable } from './later-releases.ts';
import { SettingsError, schemaProblems } from './problems.ts';
import { Settings } from './settings.ts';

/**
 * Checks a whole document.
 *
 * @throws {SettingsError} with every problem that could be found at once.
 */
export function parseSettings(document: unknown, checks: readonly Check[] = []): Settings {
  const settings = Settings.safeParse(document);
  const problems = [
    ...(settings.success ? [] : schemaProblems(settings.error, document)),
    ...[...CROSS_CHECKS, ...checks].flatMap((check) => check(document, [])),
    ...notYetAvailable(document),
  ];
  if (!settings.success || problems.length > 0) throw new SettingsError(problems);
  return settings.data;
}
