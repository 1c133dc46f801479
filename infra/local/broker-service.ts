import { randomBytes } from 'node:crypto';
import { writeBrokerSettings } from './broker-settings.ts';
import type { LocalDatabase } from './database/local-database.ts';
import { takePort } from './process/free-port.ts';
import { type Service, startService } from './service.ts';

const PORT = 8080;

export interface LocalBroker extends Service {
  /** Of the only caller, who may do everything. */
  readonly callerKey: string;
}

/** @param folder For the settings; closed to others, and removed with the broker if we die. */
export async function startBroker(folder: string, database: LocalDatabase): Promise<LocalBroker> {
  const callerKey = randomBytes(24).toString('hex');
  const settingsFile = await writeBrokerSettings(folder, database, callerKey);
  const port = await takePort(PORT, console.log);
  const url = `http://127.0.0.1:${port}`;
  const { BROKER_SETTINGS, BROKER_SETTINGS_SECRET, ...inherited } = process.env;
  const service = await startService({
    name: 'broker',
    does: 'it reads its settings and logs in at the database',
    url,
    healthPath: '/readyz',
    nodeArguments: ['--import', 'tsx', 'lib/broker/main.ts'],
    env: {
      LOG_LEVEL: 'warn',
      ...inherited,
      BROKER_SETTINGS_FILE: settingsFile,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    ownedFolders: [folder],
  });
  return { ...service, callerKey };
}
