import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { VolumeMount } from '../port.ts';
import { readJson, writeAtomically } from './durable-file.ts';
import { removeTree, type WorkloadRecord } from './records.ts';
import type { SandboxMount } from './sandbox.ts';

const run = promisify(execFile);

interface ClaimRecord {
  readonly workload: string;
  readonly sizeBytes?: number;
}

export interface Volumes {
  /** Makes what is not there yet; every directory belongs to the workload's uid, below directories that only the runtime writes. */
  prepare(record: WorkloadRecord, secret: Readonly<Record<string, string>>): Promise<SandboxMount[]>;
  /** The same without a sandbox: below `root`, at their mount paths. */
  preparePlain(record: WorkloadRecord, secret: Readonly<Record<string, string>>, root: string): Promise<void>;
  clearEphemeral(name: string): Promise<void>;
  deleteClaims(name: string): Promise<void>;
  /** Uids that own a kept claim: nobody else may get one of them. */
  uidsInUse(): Promise<ReadonlySet<number>>;
}

export async function openVolumes(options: {
  stateDirectory: string;
  volumesDirectory: string;
  directoryOf: (name: string) => string;
}): Promise<Volumes> {
  const claims = path.join(options.stateDirectory, 'claims');
  await mkdir(claims, { recursive: true, mode: 0o700 });
  const claimFile = (claim: string) => path.join(claims, `${claim}.json`);

  /** The directory of a volume outside of a sandbox, made if needed, owned by `uid` where that is given. */
  async function place(
    record: WorkloadRecord,
    volume: VolumeMount,
    secret: Readonly<Record<string, string>>,
    uid?: number,
  ) {
    const own = options.directoryOf(record.spec.name);
    if (volume.source.kind === 'persistent') {
      const { claim, sizeBytes } = volume.source;
      const facts: ClaimRecord = {
        workload: record.spec.name,
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      };
      await writeAtomically(claimFile(claim), JSON.stringify(facts));
      const directory = path.join(options.volumesDirectory, claim);
      await makeOwned(directory, uid);
      return directory;
    }
    if (volume.source.kind === 'ephemeral') {
      await mkdir(path.join(own, 'ephemeral'), { recursive: true, mode: 0o711 });
      const directory = path.join(own, 'ephemeral', volume.name);
      await makeOwned(directory, uid);
      return directory;
    }
    if (volume.source.kind !== 'secret')
      throw new Error(`A volume of kind ${volume.source.kind} has no place.`);
    await mkdir(path.join(own, 'secret-volumes'), { recursive: true, mode: 0o711 });
    const directory = path.join(own, 'secret-volumes', volume.name);
    await writeSecretFiles(directory, volume.source.keys, secret, uid);
    return directory;
  }

  return {
    async prepare(record, secret) {
      const mounts: SandboxMount[] = [];
      for (const volume of record.spec.template.volumes) {
        if (volume.source.kind === 'memory') {
          const { sizeBytes: memoryBytes } = volume.source;
          mounts.push({
            hostPath: { memoryBytes },
            path: volume.mountPath,
            readOnly: false,
            optional: false,
          });
          continue;
        }
        const hostPath = await place(record, volume, secret, record.uid);
        const readOnly = volume.readOnly === true || volume.source.kind === 'secret';
        mounts.push({ hostPath, path: volume.mountPath, readOnly, optional: false });
      }
      return mounts;
    },
    async preparePlain(record, secret, root) {
      await mkdir(path.join(root, 'tmp'), { recursive: true, mode: 0o700 });
      for (const volume of record.spec.template.volumes.toSorted(
        (a, b) => a.mountPath.length - b.mountPath.length,
      )) {
        // The machine's own.
        if (volume.source.kind === 'memory') continue;
        const link = path.join(root, volume.mountPath);
        if (volume.source.kind === 'ephemeral') {
          await mkdir(link, { recursive: true });
          continue;
        }
        await mkdir(path.dirname(link), { recursive: true });
        const target = await place(record, volume, secret);
        await rm(link, { force: true }).catch(() => {});
        await symlink(target, link);
      }
    },
    async clearEphemeral(name) {
      for (const part of ['ephemeral', 'root']) await removeTree(path.join(options.directoryOf(name), part));
    },
    async deleteClaims(name) {
      for (const file of await readdir(claims)) {
        if (!file.endsWith('.json')) continue;
        const facts = await readJson<ClaimRecord>(path.join(claims, file));
        if (facts?.workload !== name) continue;
        await removeTree(path.join(options.volumesDirectory, file.slice(0, -'.json'.length)));
        await rm(path.join(claims, file), { force: true });
      }
    },
    async uidsInUse() {
      const uids = new Set<number>();
      for (const claim of await readdir(options.volumesDirectory)) {
        const facts = await lstat(path.join(options.volumesDirectory, claim)).catch(() => undefined);
        if (facts !== undefined) uids.add(facts.uid);
      }
      return uids;
    },
  };
}

async function makeOwned(directory: string, uid: number | undefined): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const facts = await lstat(directory);
  if (!facts.isDirectory()) throw new Error(`${directory} is not a directory.`);
  if (uid === undefined || facts.uid === uid) return;
  // A claim that another workload had: its files change hands. Links are changed themselves and never followed (-h, -P).
  await run('chown', ['-R', '-h', '-P', `${uid}:${uid}`, '--', directory], {
    env: { PATH: '/usr/bin:/bin' },
  });
}

/** Written anew for each start: the values may have changed, and the process may not have touched them. */
async function writeSecretFiles(
  directory: string,
  keys: readonly string[],
  secret: Readonly<Record<string, string>>,
  uid: number | undefined,
): Promise<void> {
  await removeTree(directory);
  await mkdir(directory, { mode: 0o700 });
  for (const key of keys) {
    const file = path.join(directory, key);
    await writeFile(file, secret[key] ?? '', { mode: 0o400, flag: 'wx' });
    if (uid !== undefined) await chown(file, uid, uid);
  }
  if (uid === undefined) return;
  await chown(directory, uid, uid);
  await chmod(directory, 0o500);
}
