import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ENTRY = 'dist/lib/index.js';
/** What the index does not lead to. */
const TEXTS = ['LICENSE', 'README.md', 'lib/client/README.md', 'lib/protocol/README.md'];
const IMPORTED = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
/** What a package of its own does not take over: commands and what develops the project. */
const OF_THE_CLIENT = ['version', 'license', 'keywords', 'type', 'engines', 'main', 'types', 'exports'];

/**
 * Lays out the package of the client: the compiled files that the index leads to, and a package.json that names what
 * they import. The SDK for keys in secrets is the function's own, as before.
 *
 * @param project Holds dist/lib, built.
 * @param folder Is made anew.
 */
export async function stageClient(project: string, folder: string): Promise<void> {
  const { files, packages } = await reachedFrom(project, ENTRY);
  const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  const dependencies = Object.fromEntries(
    Object.entries<string>(manifest.dependencies).filter(([name]) => packages.has(name) && !isOptional(name)),
  );
  const kept = Object.fromEntries(OF_THE_CLIENT.map((field) => [field, manifest[field]]));
  const description = 'The client of serverless-conn-pool, a connection broker for serverless functions';
  const client = {
    name: 'serverless-conn-pool-client',
    description,
    ...kept,
    files: ['dist/lib', 'lib/**/*.md'],
    dependencies,
  };

  await rm(folder, { recursive: true, force: true });
  for (const file of [...files, ...TEXTS]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await copyFile(join(project, file), join(folder, file));
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(client, undefined, 2)}\n`);
}

/** Imported only when a key is in a secret: Lambda's runtime has it. */
function isOptional(name: string): boolean {
  return name.startsWith('@aws-sdk/');
}

/** Compiled files with their declarations, and the names of packages, that a file imports, at first or second hand. */
async function reachedFrom(
  project: string,
  entry: string,
): Promise<{ files: ReadonlySet<string>; packages: ReadonlySet<string> }> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const toRead = [entry, declarationOf(entry)];
  for (let file = toRead.pop(); file !== undefined; file = toRead.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, name = ''] of (await readFile(join(project, file), 'utf8')).matchAll(IMPORTED)) {
      if (name.startsWith('.')) {
        const script = join(dirname(file), name).replace(/\.ts$/, '.js');
        toRead.push(script, declarationOf(script));
      } else if (!name.startsWith('node:')) packages.add(packageOf(name));
    }
  }
  return { files, packages };
}

function declarationOf(script: string): string {
  return script.replace(/\.js$/, '.d.ts');
}

/** `zod/mini` is of zod, `@scope/name/file` of `@scope/name`. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
