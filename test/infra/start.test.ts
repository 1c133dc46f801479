import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

/** Runs `npm start` as a user would, except for npm itself. */
function startEverything() {
  const program = spawn(process.execPath, ['--import', 'tsx', 'infra/local/start.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATABASE_URL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { program, exited: once(program, 'exit') };
}

async function linesUntil(output: NodeJS.ReadableStream, last: string): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface(output)) {
    lines.push(line);
    if (line.includes(last)) return lines.join('\n');
  }
  throw new Error(`Ended before "${last}":\n${lines.join('\n')}`);
}

/** The requests of the curl lines that are printed for pasting. */
function printedRequests(text: string) {
  return [...text.matchAll(/^curl -s (\S+) (.*) -d '(.*)'$/gm)].map(
    ([, url = '', headers = '', body = '']) => ({
      url,
      body,
      headers: [...headers.matchAll(/-H '([^:]+): ([^']+)'/g)].map(
        ([, name = '', value = '']): [string, string] => [name, value],
      ),
    }),
  );
}

test('npm start tells each step and how long it took, serves the printed requests, and SIGINT ends all of it with code 0', async () => {
  const { program, exited } = startEverything();
  try {
    const text = await linesUntil(program.stdout, 'Ctrl-C stops everything');
    program.stdout.resume();
    const steps = [
      'Starting a private database server',
      'Making the demo database',
      'Starting the broker',
      'Starting the functions',
    ];
    for (const step of steps)
      expect(text).toMatch(new RegExp(`^${step}.* \\.\\.\\.$(\n.*)*?, after \\d+\\.\\d s$`, 'm'));
    const requests = printedRequests(text);
    expect(requests).toHaveLength(3);
    const replies: string[] = [];
    for (const { url, headers, body } of requests) {
      const response = await fetch(url, { method: 'POST', headers, body });
      expect(response.ok).toBe(true);
      replies.push(await response.text());
    }
    const order42 = expect.stringContaining('"rows":[["42",');
    expect(replies).toEqual([order42, '{"id":"10001"}', order42]);

    program.kill('SIGINT');

    expect(await exited).toEqual([0, null]);
    for (const { url } of requests) await expect(fetch(new URL('/', url))).rejects.toThrow('fetch failed');
  } finally {
    program.kill('SIGKILL');
  }
}, 240_000);
