import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { isAlive, type ProcessIdentity } from '@haic/kit/process-identity.ts';
import type { LabelSelector } from '../port.ts';
import { matches } from '../watch-hub.ts';
import { readJson, writeAtomically } from './durable-file.ts';
import { openRecords, type Removal, type WorkloadRecord } from './records.ts';

/** What has to be kept of a workload so that it can be run elsewhere: what was asked for, and not what became of it here. */
export interface WorkloadCopy {
  readonly record: WorkloadRecord;
  readonly secret: Readonly<Record<string, string>>;
}

export interface ClaimCopy {
  readonly claim: string;
  readonly workload: string;
  readonly sizeBytes?: number;
}

/** Of a state directory, whether its runtime is at work or not: nothing is changed. What is just being removed is left out. */
export async function readWorkloads(
  stateDirectory: string,
  selector: LabelSelector,
): Promise<ReadonlyMap<string, WorkloadCopy>> {
  const copies = new Map<string, WorkloadCopy>();
  const workloads = path.join(stateDirectory, 'workloads');
  for (const name of await namesIn(workloads)) {
    const copy = await readWorkload(path.join(workloads, name));
    if (copy !== undefined && matches(copy.record.spec.labels, selector)) copies.set(name, copy);
  }
  return copies;
}

async function readWorkload(directory: string): Promise<WorkloadCopy | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const record = await readJson<WorkloadRecord>(path.join(directory, 'workload.json'));
    if (record === undefined) return undefined;
    if ((await readJson<Removal>(path.join(directory, 'removing.json'))) !== undefined) return undefined;
    const secret = await readJson<Record<string, string>>(
      path.join(directory, `secret-${record.generation}.json`),
    );
    // It was just changed, or removed: the record says which when it is read again.
    if (secret === undefined && attempt < 20) continue;
    return { record, secret: secret ?? {} };
  }
}

export async function readClaims(stateDirectory: string): Promise<readonly ClaimCopy[]> {
  const directory = path.join(stateDirectory, 'claims');
  const claims: ClaimCopy[] = [];
  for (const file of await namesIn(directory)) {
    if (!file.endsWith('.json')) continue;
    const facts = await readJson<Omit<ClaimCopy, 'claim'>>(path.join(directory, file));
    if (facts !== undefined) claims.push({ ...facts, claim: file.slice(0, -'.json'.length) });
  }
  return claims;
}

/** Into a state directory of which no runtime knows yet. The next one that opens it starts what is to run. */
export async function writeWorkloads(
  stateDirectory: string,
  workloads: readonly WorkloadCopy[],
  claims: readonly ClaimCopy[],
): Promise<void> {
  const records = await openRecords(stateDirectory);
  for (const { record, secret } of workloads) await records.save(checkedName(record), secret);
  const directory = path.join(stateDirectory, 'claims');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const { claim, ...facts } of claims)
    await writeAtomically(path.join(directory, `${checkedClaim(claim)}.json`), JSON.stringify(facts));
}

/** A copy comes from a file, and names become paths. */
export function checkedClaim(claim: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(claim))
    throw new Error(`"${claim}" is no name of a volume.`);
  return claim;
}

function checkedName(record: WorkloadRecord): WorkloadRecord {
  const { name } = record.spec;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name))
    throw new Error(`"${name}" is no name of a workload.`);
  if (!Number.isSafeInteger(record.generation)) throw new Error(`The record of ${name} is not readable.`);
  return record;
}

/** Whether a process of any workload lives, with the platform or without. */
export async function anyWorkloadRuns(stateDirectory: string): Promise<boolean> {
  const workloads = path.join(stateDirectory, 'workloads');
  for (const name of await namesIn(workloads)) {
    const attempts = path.join(workloads, name, 'attempts');
    for (const attempt of await namesIn(attempts)) {
      const facts = await readJson<{ identity: ProcessIdentity }>(
        path.join(attempts, attempt, 'process.json'),
      ).catch(() => undefined);
      if (facts !== undefined && (await isAlive(facts.identity))) return true;
    }
  }
  return false;
}

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
