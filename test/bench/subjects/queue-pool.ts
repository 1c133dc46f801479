import { join } from 'node:path';
import { unpackDebianPackages } from '../../../infra/local/debian-packages.ts';
import { cacheFolder, makeFolderOnce } from '../../../infra/local/process/cache-folder.ts';
import { CONNECTIONS } from '../services/driver-options.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const PACKAGES = ['python3-django', 'python3-sqlalchemy', 'python3-mysqldb', 'python3-gunicorn'];
const SERVICES = join(import.meta.dirname, '../services');

/**
 * Django on SQLAlchemy's QueuePool under gunicorn, with Debian's packages, which are unpacked into the cache folder.
 *
 * @throws {Error} the packages cannot be had, or do not fit this system's Python.
 */
export async function startQueuePool(databaseEnv: NodeJS.ProcessEnv): Promise<ServiceProcess> {
  const folder = join(cacheFolder(), `queue-pool-${process.platform}-${process.arch}`);
  await makeFolderOnce(folder, async (draft) => {
    console.error("Fetching Debian's Django, SQLAlchemy and gunicorn (about 5 MB, once) ...");
    await unpackDebianPackages({ names: PACKAGES }, draft);
  });
  const gunicorn = [
    'python3',
    '-m',
    'gunicorn',
    '--chdir',
    SERVICES,
    '--config',
    `${SERVICES}/gunicorn_settings.py`,
  ];
  return await startServiceProcess([...gunicorn, 'queue_pool:application'], {
    ...databaseEnv,
    CONNECTIONS: String(CONNECTIONS),
    PYTHONPATH: join(folder, 'usr/lib/python3/dist-packages'),
    PYTHONDONTWRITEBYTECODE: '1',
    LD_LIBRARY_PATH: join(folder, `usr/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`),
  });
}
