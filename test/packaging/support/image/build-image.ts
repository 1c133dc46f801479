import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../support/project.ts';
import { type BuildContext, copy } from './copy.ts';
import { type Instruction, parseDockerfile, parseExecForm, type Stage } from './dockerfile.ts';

interface HealthCheck {
  readonly command: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

/** A stage that was carried out: what is in its file system on top of the base, and how to run it. */
export interface Image {
  readonly stage: Stage;
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  user: string;
  readonly ports: number[];
  healthCheck: HealthCheck | undefined;
  command: readonly string[];
}

/** The stages by name; the last one is `image`. */
export interface Build {
  readonly image: Image;
  readonly stages: ReadonlyMap<string, Image>;
}

const BASE = 'node:24-slim';

/**
 * Carries out a Dockerfile in plain folders, with the Node and npm of this machine in the place of those in the base image.
 *
 * @param folder For the stages, one folder each.
 * @param cached Stages that need not be built again where their instructions are the same.
 */
export async function buildImage(
  dockerfile: string,
  context: BuildContext,
  folder: string,
  cached: ReadonlyMap<string, Image> = new Map(),
): Promise<Build> {
  const stages = new Map<string, Image>();
  for (const [index, stage] of parseDockerfile(dockerfile).entries()) {
    const name = stage.name ?? String(index);
    const known = cached.get(name);
    const isKnown = JSON.stringify(known?.stage) === JSON.stringify(stage);
    stages.set(
      name,
      known !== undefined && isKnown
        ? known
        : await buildStage(stage, path.join(folder, name), context, stages),
    );
  }
  const image = [...stages.values()].at(-1);
  if (image === undefined) throw new Error('the Dockerfile has no stage');
  return { image, stages };
}

async function buildStage(
  stage: Stage,
  root: string,
  context: BuildContext,
  stages: ReadonlyMap<string, Image>,
): Promise<Image> {
  if (stage.base !== BASE) throw new Error(`the base is ${stage.base}, not ${BASE}`);
  await makeFolder(root);
  const image: Image = {
    stage,
    root,
    workdir: '/',
    env: {},
    user: '0',
    ports: [],
    healthCheck: undefined,
    command: [],
  };
  for (const instruction of stage.instructions) await carryOut(instruction, image, context, stages);
  return image;
}

async function carryOut(
  { keyword, flags, text }: Instruction,
  image: Image,
  context: BuildContext,
  stages: ReadonlyMap<string, Image>,
): Promise<void> {
  switch (keyword) {
    case 'WORKDIR':
      image.workdir = path.posix.resolve(image.workdir, text);
      return await makeFolder(path.join(image.root, image.workdir));
    case 'COPY': {
      const from = flags.from === undefined ? context : stages.get(flags.from);
      if (from === undefined) throw new Error(`COPY --from=${flags.from}: there is no such stage before`);
      return await copy(text.split(/\s+/), from, image);
    }
    case 'RUN':
      return await runLine(text, image);
    case 'ENV':
      for (const [, name = '', value = ''] of text.matchAll(/(\w+)=(\S+)/g)) image.env[name] = value;
      return;
    case 'USER':
      image.user = text;
      return;
    case 'EXPOSE':
      image.ports.push(Number(text));
      return;
    case 'HEALTHCHECK':
      image.healthCheck = { command: parseExecForm(text.replace(/^CMD\s+/, '')), options: flags };
      return;
    case 'CMD':
      image.command = parseExecForm(text);
      return;
    default:
      throw new Error(`${keyword} cannot be carried out`);
  }
}

/** With what a container has of our environment, the way to the packages, and no more. */
async function runLine(line: string, image: Image): Promise<void> {
  if (/(^|\s)\/\w/.test(line)) throw new Error(`RUN ${line}: a path from the root would leave the folder`);
  if (image.user !== '0') throw new Error(`RUN ${line}: after USER it would run as another`);
  const { PATH, HOME, npm_config_cache, npm_config_registry, npm_config_userconfig } = process.env;
  const { exitCode, output } = await run(
    'env',
    [
      '-i',
      ...assignments({ PATH, HOME, npm_config_cache, npm_config_registry, npm_config_userconfig }),
      ...assignments({ npm_config_prefer_offline: 'true', npm_config_audit: 'false', ...image.env }),
      'sh',
      '-c',
      `umask 022\n${line}`,
    ],
    path.join(image.root, image.workdir),
  );
  if (exitCode !== 0) throw new Error(`RUN ${line}: exit code ${exitCode}\n${output}`);
}

function assignments(variables: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}

/** Everybody may enter it, whatever our umask is. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
}
