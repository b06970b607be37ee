import process from 'node:process';
import { createLogger } from '@haic/kit/logging.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { createKeySource } from './key-source.ts';
import { createRotation } from './rotation.ts';
import { createVault } from './vault.ts';

/** A process of its own that rotates, to be killed: DATABASE_URL, MASTER_KEY, KEY_FILE, BEGIN. */
const { DATABASE_URL: url = '', MASTER_KEY = '', KEY_FILE: ownFile = '', BEGIN } = process.env;
const database = connectPostgres({ url, applicationName: 'rotation' });
const keys = createKeySource({ derived: Buffer.from(MASTER_KEY, 'hex'), ownFile });
const vault = createVault({ database, keys });
const rotation = createRotation({ database, keys, vault, logger: createLogger('rotation', 'silent') });
if (BEGIN === 'yes') await rotation.begin();
else rotation.resume();
