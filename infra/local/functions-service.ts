import { findFreePort, takePort } from './process/free-port.ts';
import { type Service, startService } from './service.ts';

const HTTP_PORT = 3000;

/** Starts the functions of serverless.yml by serverless-offline, without their authorisers. */
export async function startFunctions(brokerUrl: string, brokerKey: string): Promise<Service> {
  const httpPort = await takePort(HTTP_PORT, console.log);
  return await startService({
    name: 'functions',
    does: 'serverless-offline bundles them and serves them',
    url: `http://127.0.0.1:${httpPort}`,
    healthPath: '/health',
    nodeArguments: [
      'node_modules/serverless/bin/serverless.js',
      'offline',
      'start',
      // With the examples; the key comes by the environment.
      ...['--stage', 'local'],
      ...['--param', `brokerUrl=${brokerUrl}`],
      '--noAuth',
      '--noSponsor',
      ...['--host', '127.0.0.1'],
      ...['--httpPort', String(httpPort)],
      ...(await portArguments(httpPort)),
    ],
    env: { ...process.env, BROKER_KEY: brokerKey },
  });
}

/** serverless-offline opens these too; nobody asks for them by number. */
async function portArguments(after: number): Promise<string[]> {
  const result: string[] = [];
  let port = after;
  for (const option of ['--lambdaPort', '--websocketPort', '--albPort']) {
    port = await findFreePort(port + 1);
    result.push(option, String(port));
  }
  return result;
}
