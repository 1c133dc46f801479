import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Keeps web pages away from the functions that serverless-offline runs: infra/local/guard-servers.ts says how. */
export default class GuardPlugin {
  constructor(serverless) {
    const guard = () => guardServers(serverless.serviceDir);
    // `offline start` and `offline`.
    this.hooks = { 'before:offline:start:init': guard, 'before:offline:start': guard };
  }
}

/** Written in TypeScript, which Node 20 does not read by itself. */
async function guardServers(serviceDir) {
  const bundled = path.join(serviceDir, 'dist/infra/guard-servers.mjs');
  await build({
    absWorkingDir: serviceDir,
    entryPoints: ['infra/local/guard-servers.ts'],
    outfile: bundled,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const { guardServers: start } = await import(pathToFileURL(bundled).href);
  start();
}
