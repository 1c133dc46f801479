/**
 * `npm run image`: builds the broker's image by the docker command and pushes it to the account's ECR.
 *
 * With --dry-run it prints the commands, and asks neither AWS nor docker.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ecrClient } from '../deployment/aws-clients.ts';
import { imageCommands, parseImageOptions } from './image-commands.ts';

const PROJECT = join(import.meta.dirname, '../..');

async function main(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
  const options = parseImageOptions(process.argv.slice(2), version, process.env);
  if (options.isDry) {
    const { login, build, push } = imageCommands(`ACCOUNT.dkr.ecr.${options.region}.amazonaws.com`, options);
    for (const command of [login, build, push]) say(['docker', ...command].join(' '));
    return;
  }
  const { registry, password } = await authorization(options.region);
  const { login, build, push } = imageCommands(registry, options);
  await docker(login, password);
  await docker(build);
  await docker(push);
}

/** Where to push, and with what: a password for twelve hours. */
async function authorization(region: string): Promise<{ registry: string; password: string }> {
  const { authorizationData = [] } = await ecrClient({ region }).getAuthorizationToken({});
  const { authorizationToken, proxyEndpoint } = authorizationData[0] ?? {};
  if (authorizationToken === undefined || proxyEndpoint === undefined) {
    throw new Error('ECR answered without a token');
  }
  const [, password = ''] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(':');
  return { registry: new URL(proxyEndpoint).host, password };
}

/** @param input For its standard input: no process list shows it. */
async function docker(command: readonly string[], input = ''): Promise<void> {
  say(`docker ${command.join(' ')}`);
  const child = spawn('docker', command, { cwd: PROJECT, stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`docker ${command[0]} failed with code ${code}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
