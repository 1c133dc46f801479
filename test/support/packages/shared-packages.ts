import { rm } from 'node:fs/promises';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { askOnce, serveOnce } from '../vitest/serve-once.ts';
import { type BuiltPackage, buildPackage } from './npm-package.ts';
import { type PackagedService, packageService } from './service.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Has a {@link PackagedService} for each list of arguments. */
    packagedServices: string;
    /** Has the {@link BuiltPackage}. */
    builtPackages: string;
  }
}

/** Vitest's global set-up: what test files of a run package alike is packaged once. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await serveOnce((args) => packageService(JSON.parse(args)));
  const built = await serveOnce(buildPackage);
  project.provide('packagedServices', services.url);
  project.provide('builtPackages', built.url);
  return async () => {
    const made = [...(await services.close()), ...(await built.close())];
    await Promise.all(made.map(({ folder }) => rm(folder, { recursive: true })));
  };
}

/** The project's service as osls packages it with these arguments. To be read only: other test files read it too. */
export async function sharedService(args: readonly string[]): Promise<PackagedService> {
  return await askOnce(inject('packagedServices'), JSON.stringify(args));
}

/** The project as `npm pack` packs it. To be read only. */
export async function sharedPackage(): Promise<BuiltPackage> {
  return await askOnce(inject('builtPackages'), '');
}
