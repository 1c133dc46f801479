// Preloaded into a process: every way out of it is closed, and each try leaves a line in NETWORK_LOG.
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

function refuse(what) {
  return () => {
    appendFileSync(process.env.NETWORK_LOG, `${what}\n`);
    throw new Error(`no network here: ${what}`);
  };
}

net.Socket.prototype.connect = refuse('connect');
for (const name of Object.keys(dns).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
  dns[name] = refuse(`dns.${name}`);
}
for (const name of Object.keys(dns.promises).filter((key) => /^(lookup|resolve|reverse)/.test(key))) {
  dns.promises[name] = refuse(`dns.promises.${name}`);
}
syncBuiltinESMExports();
