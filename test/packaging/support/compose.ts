import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { PROJECT } from '../../support/project.ts';

/** The parts of a service that tests look at. */
interface ComposeService {
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly [option: string]: unknown;
}

interface Compose {
  readonly services: Readonly<Record<'mysql' | 'broker', ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export const COMPOSE_FOLDER = path.join(PROJECT, 'infra');

/** infra/compose.yaml. Not checked: a test asserts what it expects. */
export async function readCompose(): Promise<Compose> {
  return parse(await readFile(path.join(COMPOSE_FOLDER, 'compose.yaml'), 'utf8'));
}

/** A secret's file by its path in a container. */
export function secretFiles({ services, secrets }: Compose): Record<string, string> {
  const names = services.broker.secrets ?? [];
  return Object.fromEntries(
    names.map((name) => [`/run/secrets/${name}`, path.join(COMPOSE_FOLDER, secrets[name]?.file ?? name)]),
  );
}
