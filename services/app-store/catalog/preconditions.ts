import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { AppBlobs } from './blobs.ts';
import type { App, Manifest, Precondition, PreconditionProblem } from './client.ts';
import { isLinkAddress } from './manifest/link.ts';
import { type RuntimeVersion, runtimeVersionOf } from './manifest/runtime.ts';
import { type ExamineSecrets, secretsLacking, secretsWanted } from './manifest/secrets.ts';

/**
 * What an app needs of the installation and may lose after its import (contracts/app-store.md §5). A failing app is listed and not
 * runnable. GPUs and images are not here: this runtime provides none, so no bundle that asks for one gets in.
 */
export interface Surroundings {
  readonly runtimeVersions: readonly RuntimeVersion[];
  readonly examineSecrets: (app: App, ...rest: Parameters<ExamineSecrets>) => ReturnType<ExamineSecrets>;
}

/** What can be told from app.toml alone. */
export function problemsOfManifest(
  manifest: Manifest,
  now: Pick<Surroundings, 'runtimeVersions'>,
): PreconditionProblem[] {
  if (manifest.lifecycle === 'LINK') return problemsOfLink(manifest);
  return problemsOfRuntime(manifest, now.runtimeVersions);
}

function problemsOfLink({ linkAddress }: Manifest): PreconditionProblem[] {
  if (linkAddress !== undefined && isLinkAddress(linkAddress)) return [];
  return [
    {
      code: 'link_address_invalid',
      message:
        'The address that this app opens is not an http or https URL. Import a new version with another Link.Address.',
      blocks: true,
    },
  ];
}

function problemsOfRuntime(manifest: Manifest, versions: readonly RuntimeVersion[]): PreconditionProblem[] {
  const asked = manifest.runtime.runtimeVersion;
  const found = runtimeVersionOf(asked, versions);
  if (found === undefined) {
    const known = versions.filter((version) => version.deprecated !== true).map((version) => version.name);
    return [
      {
        code: 'runtime_version_unknown',
        message: `It asks for the runtime version ${asked}, which this installation no longer has. Import a new version with one of: ${known.join(', ')}.`,
        blocks: true,
      },
    ];
  }
  if (found.unavailable !== undefined)
    return [{ code: 'python_missing', message: found.unavailable, blocks: true }];
  if (found.deprecated !== true) return [];
  return [
    {
      code: 'runtime_version_deprecated',
      message: `Its runtime version ${found.name} is deprecated: it still runs, but no new app may use it. Move to another one with the next version.`,
      blocks: false,
    },
  ];
}

/** Whether everything is there, and still for this app, that it cannot do without. */
export async function problemsOfSecrets(app: App, now: Surroundings): Promise<PreconditionProblem[]> {
  if (app.manifest.lifecycle === 'LINK') return [];
  const lacking = await secretsLacking(secretsWanted(app.manifest), (references) =>
    now.examineSecrets(app, references),
  );
  return lacking.map(({ wanted, lack }) => ({
    code: lack.code,
    message: `For ${wanted.by}: ${lack.message} ${lack.remedy}`,
    blocks: true,
  }));
}

/**
 * Whether the bundle is there as it was imported. Its whole content is read only where it may have changed: bundles are large and the check
 * comes every hour.
 */
export async function problemsOfBundle(
  app: App,
  blobs: AppBlobs,
  options: { thorough: boolean; signal: AbortSignal },
): Promise<PreconditionProblem[]> {
  if (app.manifest.lifecycle === 'LINK') return [];
  const facts = await blobs.bundleFacts(app.id, options.signal);
  if (facts === undefined)
    return [
      {
        code: 'bundle_missing',
        message:
          'Its bundle is gone from the store of this installation. Delete this version and import it again, or restore a backup.',
        blocks: true,
      },
    ];
  const wasDamaged = app.precondition.problems.some(({ code }) => code === 'bundle_damaged');
  const suspect =
    options.thorough || wasDamaged || facts.modifiedAt.getTime() > Date.parse(app.precondition.checkedAt);
  const isWhole =
    facts.size === app.bundleSize &&
    (!suspect || (await sha256Of(app.id, blobs, options.signal)) === app.bundleSha256);
  if (isWhole) return [];
  return [
    {
      code: 'bundle_damaged',
      message:
        'Its bundle is not what was imported: the stored file is damaged. Delete this version and import it again, or restore a backup.',
      blocks: true,
    },
  ];
}

async function sha256Of(appId: string, blobs: AppBlobs, signal: AbortSignal): Promise<string | undefined> {
  const bundle = await blobs.openBundle(appId, signal);
  if (bundle === undefined) return undefined;
  const hash = createHash('sha256');
  await pipeline(bundle.content, hash, { signal });
  return hash.digest('hex');
}

/** A problem that does not block is a warning: the app passes. */
export const preconditionOf = (problems: readonly PreconditionProblem[], checkedAt: Date): Precondition => ({
  status: problems.some(({ blocks }) => blocks) ? 'FAILED' : 'PASSED',
  problems,
  checkedAt: checkedAt.toISOString(),
});
