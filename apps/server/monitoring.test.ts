import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createMeter } from '@haic/kit/telemetry/meter.ts';
import type { Database } from '@haic/platform/database/port.ts';
import { measureRoutes } from '@haic/services/app-store/router/traffic.ts';
import { ensureUnpacked } from '@haic/test-cluster/debian.ts';
import { measureDatabase, measureOutbox, measureWorkloads } from './operations.ts';

const monitoring = fileURLToPath(new URL('../../deploy/monitoring', import.meta.url));
const guide = fileURLToPath(new URL('../../docs/operations.md', import.meta.url));
const run = promisify(execFile);

/** Everything that any process of Haic measures. */
async function measured(): Promise<ReadonlySet<string>> {
  const meter = await createMeter('test');
  measureDatabase(meter, {} as Database);
  measureOutbox(meter, { status: () => Promise.reject(new Error('not asked')) });
  measureWorkloads(meter, { list: async () => [] });
  measureRoutes(meter, { known: true, size: 0 });
  const names = new Set<string>(['up']);
  for (const [, name = '', type] of (await meter.render()).matchAll(/^# TYPE (\S+) (\S+)$/gm))
    for (const suffix of type === 'histogram' ? ['_bucket', '_count', '_sum'] : [''])
      names.add(name + suffix);
  return names;
}

const metricsIn = (expression: string): string[] => [
  ...new Set(
    [...expression.matchAll(/\b(up|haic_\w+|nodejs_\w+|process_\w+)\b/g)].map(([, name = '']) => name),
  ),
];

describe('what watches Haic', () => {
  let known: ReadonlySet<string>;
  before(async () => {
    known = await measured();
  });

  it('has rules that Prometheus takes, and that fire when they should and not otherwise', async () => {
    const root = await ensureUnpacked(['prometheus'], {
      cacheDirectory: process.env.HAIC_CACHE ?? '/var/cache/haic',
      tell: () => {},
      signal: AbortSignal.timeout(300_000),
    });
    const promtool = path.join(root, 'usr/bin/promtool');
    await run(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', 'alerts.yaml'], { cwd: monitoring });
    await run(promtool, ['test', 'rules', 'alerts.test.yaml'], { cwd: monitoring });
  });

  it('asks for nothing in alerts that is not measured, and says of each what to do', async () => {
    const rules = await readFile(path.join(monitoring, 'alerts.yaml'), 'utf8');
    const said = await readFile(guide, 'utf8');
    const expressions = rules
      .split('\n')
      .filter((line) => !/summary:|alert:|# /.test(line))
      .join('\n');
    const names = metricsIn(expressions);
    assert.ok(names.length > 5);
    for (const name of names) assert.ok(known.has(name), name);
    for (const [, alert] of rules.matchAll(/alert: (\w+)/g))
      assert.ok(said.includes(`### ${alert}\n`), `docs/operations.md says nothing of ${alert}`);
  });

  it('asks for nothing in dashboards that is not measured', async () => {
    const folder = path.join(monitoring, 'dashboards');
    for (const file of await readdir(folder)) {
      const dashboard = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as {
        panels: { id: number; type: string; title: string; targets?: { expr: string }[] }[];
      };
      assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
      for (const { title, type, targets = [] } of dashboard.panels) {
        assert.equal(targets.length > 0, type !== 'row', title);
        for (const { expr } of targets) {
          assert.ok(metricsIn(expr).length > 0, title);
          for (const name of metricsIn(expr)) assert.ok(known.has(name), `${title}: ${name}`);
        }
      }
    }
  });
});
