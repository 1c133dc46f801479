import * as http from 'node:http';
import type * as https from 'node:https';

/** The module for a protocol. HTTPS is a third of what a function loads, so it is loaded only if needed. */
export function httpModuleFor(protocol: string): Pick<typeof http | typeof https, 'Agent' | 'request'> {
  return protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
}
