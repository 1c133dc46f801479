import { parseArgs } from 'node:util';

const USAGE = `npm run image -- [--repository NAME] [--tag TAG] [--region REGION] [--node-image IMAGE] [--dry-run]`;

export interface ImageOptions {
  readonly repository: string;
  readonly tag: string;
  readonly region: string;
  /** The base, for example by its digest. Undefined: the Dockerfile's. */
  readonly nodeImage: string | undefined;
  readonly isDry: boolean;
}

/** @throws {Error} an option is unknown; the message says which there are. */
export function parseImageOptions(
  args: readonly string[],
  version: string,
  environment: NodeJS.ProcessEnv,
): ImageOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        repository: { type: 'string', default: 'serverless-conn-pool' },
        tag: { type: 'string', default: version },
        region: { type: 'string', default: environment.AWS_REGION ?? 'eu-west-1' },
        'node-image': { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    const { repository, tag, region, 'node-image': nodeImage, 'dry-run': isDry } = values;
    return { repository, tag, region, nodeImage, isDry };
  } catch (cause) {
    throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\nUsage: ${USAGE}`, { cause });
  }
}

/** A command of docker, its arguments one by one. */
type Command = readonly string[];

/**
 * Logs in (the password comes by standard input), builds for what Fargate runs, and pushes.
 *
 * @param registry Host of the account's registry.
 */
export function imageCommands(
  registry: string,
  { repository, tag, nodeImage }: ImageOptions,
): { readonly login: Command; readonly build: Command; readonly push: Command } {
  const image = `${registry}/${repository}:${tag}`;
  const base = nodeImage === undefined ? [] : ['--build-arg', `NODE_IMAGE=${nodeImage}`];
  return {
    login: ['login', '--username', 'AWS', '--password-stdin', registry],
    build: [
      ...['buildx', 'build', '--file', 'infra/Dockerfile', '--platform', 'linux/arm64', ...base],
      ...['--tag', image, '--load', '.'],
    ],
    push: ['push', image],
  };
}
