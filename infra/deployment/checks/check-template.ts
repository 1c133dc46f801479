import { refuse } from '../problem.ts';
import type { Template } from '../template.ts';
import { permissionProblems, type TaskDuties } from './permission-checks.ts';
import { routeProblems } from './route-checks.ts';
import { validationProblems } from './validator.ts';

/**
 * Checks what is about to be handed to CloudFormation.
 *
 * @param libFolder The code that runs with the roles of the template.
 * @param duties Of the broker, as planned: {@link planDeployment}.
 * @throws {DeploymentError} with a line for each problem.
 */
export async function checkTemplate(
  template: Template,
  libFolder: string,
  duties: TaskDuties,
): Promise<void> {
  refuse([...routeProblems(template), ...(await permissionProblems(template, libFolder, duties))]);
  // The validator takes its seconds.
  refuse(validationProblems(template));
}
