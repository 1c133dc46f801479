import { SettingsError } from '../../../lib/settings/problems.ts';

/** The lines that a bad document is refused with; none if it is accepted. */
export function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
