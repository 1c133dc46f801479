import { type AwsConfig, ecrClient, secretsClient } from './aws-clients.ts';
import type { Overview } from './overview.ts';
import { refuse } from './problem.ts';

/** What must be there before a stack can come up, a line each. */
export function preflightList({ repository, imageTag, secrets }: Overview): string[] {
  return [
    `image ${repository}:${imageTag} in ECR`,
    ...secrets.map(({ place, id }) => `secret ${id} (${place})`),
  ];
}

/**
 * Asks AWS whether the image and the secrets of a deployment are there. It reads no secret's value.
 *
 * @throws {DeploymentError} with a line for each that is not.
 */
export async function preflight(overview: Overview, config: AwsConfig): Promise<void> {
  const { repository, imageTag, secrets } = overview;
  const problems = await Promise.all([
    imageProblem(repository, imageTag, config),
    ...secrets.map(({ place, id }) => secretProblem(place, id, config)),
  ]);
  refuse(problems.flat());
}

async function imageProblem(repository: string, imageTag: string, config: AwsConfig): Promise<string[]> {
  try {
    await ecrClient(config).describeImages({ repositoryName: repository, imageIds: [{ imageTag }] });
    return [];
  } catch (error) {
    const name = nameOf(error);
    if (name === 'RepositoryNotFoundException') {
      return [
        `repository: found ${repository}, which ECR does not have in ${config.region}, allowed one that is there: infra/cloudformation/repository.yml makes it`,
      ];
    }
    if (name === 'ImageNotFoundException') {
      return [
        `imageTag: found ${imageTag}, which the repository ${repository} does not have, allowed one that is there: npm run image makes it`,
      ];
    }
    return [unanswered('ECR', name)];
  }
}

async function secretProblem(place: string, id: string, config: AwsConfig): Promise<string[]> {
  try {
    const { DeletedDate } = await secretsClient(config).describeSecret({ SecretId: id });
    return DeletedDate === undefined
      ? []
      : [`${place}: found ${id}, which is to be deleted, allowed a secret that stays`];
  } catch (error) {
    const name = nameOf(error);
    return [
      name === 'ResourceNotFoundException'
        ? `${place}: found ${id}, which Secrets Manager does not have in ${config.region}, allowed a secret that is there`
        : unanswered('Secrets Manager', name),
    ];
  }
}

function unanswered(service: string, name: string): string {
  return `preflight: found no answer of ${service} (${name}), allowed AWS credentials that may describe images and secrets; --dry-run asks nobody`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
