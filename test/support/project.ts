import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export const PROJECT = path.resolve(import.meta.dirname, '../..');

interface Run {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs one of the project's tools, by its path below node_modules, or another program. */
export async function run(command: string, args: readonly string[], cwd = PROJECT, env = {}): Promise<Run> {
  return await new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    execFile(command, args, { cwd, env: { ...process.env, ...env } }, done);
  });
}

export function tool(name: string): string {
  return path.join(PROJECT, 'node_modules', '.bin', name);
}

export async function makeDirectory(): Promise<string> {
  return await mkdtemp(path.join(tmpdir(), 'packaging-'));
}

/** A directory that is gone when the test is. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await makeDirectory();
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}
