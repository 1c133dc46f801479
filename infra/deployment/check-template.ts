import { permissionProblems } from './permission-checks.ts';
import { refuse } from './problem.ts';
import { routeProblems } from './route-checks.ts';
import type { Template } from './template.ts';
import { validationProblems } from './validator.ts';

/**
 * Checks what is about to be handed to CloudFormation.
 *
 * @param libFolder The code that runs with the roles of the template.
 * @param rotateBy Whether `broker` or `function` changes passwords.
 * @throws {DeploymentError} with a line for each problem.
 */
export async function checkTemplate(
  template: Template,
  libFolder: string,
  rotateBy = 'broker',
): Promise<void> {
  refuse([...routeProblems(template), ...(await permissionProblems(template, libFolder, rotateBy))]);
  // The validator takes its seconds.
  refuse(validationProblems(template));
}
