import process from 'node:process';
import { connectPostgres, hasSchema } from '@haic/platform/database/postgres.ts';
import { readSecrets } from '@haic/server/installation.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { createChain } from '@haic/services/audit/chain.ts';
import { type Verification, verifyTrail } from '@haic/services/audit/verify.ts';
import { createFileWitness } from '@haic/services/audit/witness.ts';
import { withDatabase } from '../../installation/database.ts';
import { CommandError, exitCodes, output, say, step } from '../../terminal.ts';
import { cancellable } from '../backup/cancel.ts';

/** Follows the whole trail, whether Haic runs or not. Exit 1 when something is not as it was recorded. */
export async function verify(settings: ServerSettings, flags: { json: boolean }): Promise<void> {
  const at = installationOf(settings);
  const { masterKey } = await readSecrets(at).catch(() => {
    throw new CommandError(`There is no Haic in ${at.home}. Start one: ./haic up`);
  });
  const chain = createChain(masterKey);
  const witness = createFileWitness(at.auditWitness, chain);
  const found = await cancellable((signal) =>
    withDatabase(at, settings, async (url) => {
      if (!(await hasSchema(url, 'audit')))
        throw new CommandError('This Haic has no audit trail yet: ./haic up');
      const database = connectPostgres({ url, applicationName: 'haic-audit-verify', maxConnections: 1 });
      try {
        return await step('Following the audit trail', (tell) =>
          verifyTrail({
            ...{ database, chain, witness, signal },
            progress: (done, of) => tell(`${done.toLocaleString('en')} of ${of.toLocaleString('en')} events`),
          }),
        );
      } finally {
        await database.close();
      }
    }),
  );
  output(flags.json, jsonOf(found), () => textOf(found));
  for (const seq of found.restoredAt)
    say(`A backup was restored before event ${seq}: what had happened since that backup is not here.`);
  if (found.broken !== undefined) {
    say(
      'Everything before that event is as it was recorded. Keep a copy of the database before anything else.',
    );
    process.exitCode = exitCodes.error;
  }
}

const jsonOf = ({ broken, ...rest }: Verification) => ({
  ...rest,
  whole: broken === undefined,
  broken: broken === undefined ? null : { ...broken, eventId: broken.eventId ?? null },
});

function textOf({ events, first, last, broken }: Verification): string {
  if (broken !== undefined)
    return `BROKEN at event ${broken.seq}${broken.eventId === undefined ? '' : ` (${broken.eventId})`}: ${broken.what}`;
  if (events === 0) return 'Whole: nothing has been recorded yet.';
  return `Whole: ${events} events, from ${first} to ${last}, are as they were recorded.`;
}
