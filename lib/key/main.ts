#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { hashOfKey } from '../credentials/key-hash.ts';
import { isSendableKey, SENDABLE_KEY } from '../protocol/caller-key.ts';
import { type Options, parseOptions, USAGE, UsageError } from './options.ts';

const KEY_BYTES = 32;

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
  } else if (options.stdin) {
    process.stdout.write(settingsLines(await readKey(), options));
  } else {
    const key = randomBytes(KEY_BYTES).toString('hex');
    // To standard error, so that a pipe gets only the key, which is then in no process list and no file.
    process.stderr.write(`# For the settings of the broker. The key itself is the caller's only.\n`);
    process.stderr.write(settingsLines(key, options));
    process.stdout.write(`${key}\n`);
  }
}

async function readKey(): Promise<string> {
  const key = (await text(process.stdin)).trim();
  if (isSendableKey(key)) return key;
  throw new UsageError(
    `standard input: found ${key === '' ? 'nothing' : 'no key'}, allowed a key, which ${SENDABLE_KEY}`,
  );
}

function settingsLines(key: string, { name, databases, access }: Options): string {
  return stringify({ callers: { [name]: { keySha256: hashOfKey(key), databases, access } } });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
