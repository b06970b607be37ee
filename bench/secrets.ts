import { withDatabase } from '@haic/cli/installation/database.ts';
import { connectPostgres } from '@haic/platform/database/postgres.ts';
import { installationAt } from '@haic/server/installation.ts';
import { readSettings } from '@haic/server/settings.ts';
import { callApi } from '../test/support/api.ts';
import type { Haic } from '../test/support/haic.ts';
import { atMost, median, type Row } from './rows.ts';

const secrets = 10_000;
const requests = 20;
const usual = 100;
const list = '/secure-store/v1/workspaces%2Fdefault/secrets';

/** A workspace with ten thousand secrets: how long the first page takes, through the router, with the number of them all. */
export async function secretRows(haic: Haic): Promise<readonly Row[]> {
  const token = await haic.accessToken(haic.admin.username);
  const made = await callApi<{ secret: { name: string } }>(haic, token, 'POST', `${list}?secretId=first`, {});
  const parent = made.body.secret.name.split('/secrets/')[0] ?? '';
  const at = installationAt(haic.home, process.env.HAIC_CACHE ?? '');
  await withDatabase(at, readSettings({ ...process.env, HAIC_HOME: haic.home }), async (url) => {
    const database = connectPostgres({ url, applicationName: 'haic-bench' });
    try {
      // Each has a data key of its own otherwise; a list opens none.
      await database.sql`
        insert into secrets.secrets (uid, parent, id, display_name, annotations, creator, created_at, data_key)
        select gen_random_uuid(), parent, 'secret-' || n, 'Secret ' || n, '{"team": "science"}', creator, created_at, data_key
        from secrets.secrets, generate_series(1, ${secrets - 1}) as n where parent = ${parent} and id = 'first'`;
      await database.sql.unsafe('analyze secrets.secrets');
    } finally {
      await database.close();
    }
  });
  const rows: Row[] = [];
  for (const [id, name, query] of [
    ['secrets.first', 'first page', ''],
    ['secrets.deleted', 'first page, deleted ones too', '?showDeleted=True'],
    ['secrets.largest', 'first page of 1,000', '?pageSize=1000'],
  ] as const) {
    const times: number[] = [];
    for (let count = 0; count <= requests; count += 1) {
      const started = performance.now();
      const { status, body } = await callApi<{ totalSize: number }>(haic, token, 'GET', `${list}${query}`);
      if (status !== 200 || body.totalSize !== secrets) throw new Error(`The list answered ${status}.`);
      // The first one warms up.
      if (count > 0) times.push(performance.now() - started);
    }
    const measured = { id, name: `${secrets.toLocaleString('en')} secrets: ${name}` };
    rows.push({
      ...atMost({ ...measured, peer: '-', unit: 'ms', ours: median(times), theirs: null }, usual),
      note: `the slowest of ${requests}: ${Math.max(...times).toFixed(0)} ms`,
    });
  }
  return rows;
}
