import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AppBlobs } from './blobs.ts';
import type { App, Precondition } from './client.ts';
import {
  preconditionOf,
  problemsOfBundle,
  problemsOfManifest,
  problemsOfSecrets,
  type Surroundings,
} from './preconditions.ts';
import type { AppStore } from './store.ts';

export interface CheckSummary {
  readonly checked: number;
  /** Apps that cannot run. */
  readonly failed: number;
}

const pageSize = 200;
const everyApp = { subject: '', everything: true, ownOnly: false };

/** Looks at apps again, long after their import, and keeps with each what it lacks. */
export function createPreconditionChecker(parts: {
  readonly store: AppStore;
  readonly blobs: AppBlobs;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}) {
  const { store, blobs, surroundings, logger } = parts;
  let running: Promise<CheckSummary> | undefined;

  async function checkOne(
    app: App,
    options: { thorough: boolean; signal: AbortSignal },
  ): Promise<Precondition> {
    const checkedAt = new Date();
    const problems = [
      ...problemsOfManifest(app.manifest, surroundings),
      ...(await problemsOfSecrets(app, surroundings)),
      ...(await problemsOfBundle(app, blobs, options)),
    ];
    await store.setPrecondition(app.id, problems, checkedAt);
    const found = preconditionOf(problems, checkedAt);
    if (found.status !== app.precondition.status)
      logger.warn(
        { appId: app.id, name: app.manifest.name, codes: problems.map(({ code }) => code) },
        found.status === 'FAILED' ? 'an app can no longer run' : 'an app can run again',
      );
    return found;
  }

  async function checkEach(signal: AbortSignal): Promise<CheckSummary> {
    let checked = 0;
    let failed = 0;
    let after: { createdAt: Date; id: string } | undefined;
    for (let more = true; more; ) {
      const page: App[] = await store.list({
        scope: everyApp,
        query: '',
        newestOnly: false,
        after,
        limit: pageSize,
      });
      for (const app of page) {
        signal.throwIfAborted();
        try {
          const { status } = await checkOne(app, { thorough: false, signal });
          checked += 1;
          if (status === 'FAILED') failed += 1;
        } catch (error) {
          // Nothing is known of this one now, so what was found last stays; the others are looked at all the same.
          signal.throwIfAborted();
          logger.warn(`The app ${app.id} could not be checked (${messageOf(error)}); trying again later.`);
        }
      }
      after = page.at(-1);
      more = page.length === pageSize;
    }
    return { checked, failed };
  }

  return {
    checkOne,

    /** All apps. Who asks while it runs waits for the same end. */
    checkAll: (signal: AbortSignal): Promise<CheckSummary> => {
      running ??= checkEach(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

export type PreconditionChecker = ReturnType<typeof createPreconditionChecker>;
