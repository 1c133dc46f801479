/** Refuses a deployment before anything of it exists. Each line says what is wrong and what to change. */
export class DeploymentError extends Error {
  readonly problems: readonly string[];

  /** @param problems `place: sentence` each. */
  constructor(problems: readonly string[], options?: ErrorOptions) {
    const lines = eachOnce(problems);
    super(['This cannot be deployed:', ...lines].join('\n  '), options);
    this.name = 'DeploymentError';
    this.problems = lines;
  }
}

/** @throws {DeploymentError} if there is any. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new DeploymentError(problems);
}

/** What is said of several places is said once, with all of them before it. */
function eachOnce(problems: readonly string[]): string[] {
  const placesOf = new Map<string, Set<string>>();
  for (const problem of problems) {
    const [place = '', ...rest] = problem.split(': ');
    const sentence = rest.join(': ');
    placesOf.set(sentence, (placesOf.get(sentence) ?? new Set()).add(place));
  }
  return [...placesOf].map(([sentence, places]) => `${[...places].join(', ')}: ${sentence}`);
}
