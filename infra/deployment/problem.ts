/** Refuses a deployment before anything of it exists. Each line says what is wrong and what to change. */
export class DeploymentError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(['This cannot be deployed:', ...problems].join('\n  '), options);
    this.name = 'DeploymentError';
    this.problems = problems;
  }
}

/** @throws {DeploymentError} if there is any. */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new DeploymentError(problems);
}
