import * as http from 'node:http';
import type * as https from 'node:https';

/** The module that speaks a protocol. That of HTTPS is a third of what a function loads: only who needs it gets it. */
export function httpModuleFor(protocol: string): Pick<typeof http | typeof https, 'Agent' | 'request'> {
  return protocol === 'https:' ? process.getBuiltinModule('node:https') : http;
}
