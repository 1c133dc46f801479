/**
 * `npm run pack:client`: the client as a package of its own, serverless-conn-pool-client-VERSION.tgz, from dist/lib. Whoever
 * installs it gets none of what only the broker needs.
 */
import { join } from 'node:path';
import { runProgram } from '../local/process/run-program.ts';
import { stageClient } from './client-package.ts';

const PROJECT = join(import.meta.dirname, '../..');

const folder = join(PROJECT, 'dist/client-package');
await stageClient(PROJECT, folder);
const archive = await runProgram('npm', ['pack', '--silent', '--pack-destination', PROJECT], { cwd: folder });
process.stdout.write(archive);
