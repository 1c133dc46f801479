import type { Check } from './checks/check.ts';
import { crossChecks } from './checks/cross-checks.ts';
import { SettingsError, schemaProblems } from './problems.ts';
import { withTaskShares } from './servers.ts';
import { Settings } from './settings.ts';

export interface ParseOptions {
  readonly checks?: readonly Check[];
  /** Most tasks that share the database servers at a time. Default 1. */
  readonly peakTasks?: number;
}

/**
 * Checks a document, and returns the settings of one task.
 *
 * @throws {SettingsError} with every problem that was found.
 */
export function parseSettings(
  document: unknown,
  { checks = [], peakTasks = 1 }: ParseOptions = {},
): Settings {
  const settings = Settings.safeParse(document);
  const problems = [
    ...(settings.success ? [] : schemaProblems(settings.error, document)),
    ...[...crossChecks(peakTasks), ...checks].flatMap((check) => check(document, [])),
  ];
  if (!settings.success || problems.length > 0) throw new SettingsError(problems);
  return withTaskShares(settings.data, peakTasks);
}
