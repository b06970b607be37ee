import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { connectOperator } from '../../installation/operator.ts';
import { CommandError, exitCodes, say } from '../../terminal.ts';
import { cancellable } from '../backup/cancel.ts';

export interface ExportFlags {
  readonly format: 'ndjson' | 'csv';
  readonly since?: string;
  readonly until?: string;
  readonly principal?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly workspace?: string;
  readonly failed?: boolean;
  readonly filter?: string;
}

/** All that matches, to stdout. */
export async function exportTrail(settings: ServerSettings, flags: ExportFlags): Promise<void> {
  const filter = { ...given(flags.filter), ...filterOf(flags) };
  const query = new URLSearchParams({ format: flags.format, filter: JSON.stringify(filter) });
  const operator = await connectOperator(installationOf(settings));
  try {
    await cancellable(async (signal) => {
      const content = await operator.open(`/internal/audit/export?${query}`, signal);
      await pipeline(content, process.stdout, { end: false, signal });
    });
  } finally {
    await operator.close();
  }
  say('These are the events as they were recorded. Whether any was changed since: ./haic audit verify');
}

const filterOf = (flags: ExportFlags) => ({
  ...(flags.since === undefined ? {} : { startEventTime: timeOf('--since', flags.since) }),
  ...(flags.until === undefined ? {} : { endEventTime: timeOf('--until', flags.until) }),
  ...(flags.principal === undefined ? {} : { principalRegex: flags.principal }),
  ...(flags.action === undefined ? {} : { actionRegex: flags.action }),
  ...(flags.resource === undefined ? {} : { resourceRegex: flags.resource }),
  ...(flags.workspace === undefined ? {} : { workspaceExact: flags.workspace }),
  ...(flags.failed === true ? { statusCodeRegex: '[1-9]' } : {}),
});

function timeOf(flag: string, text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new CommandError(
      `${flag} ${text} is no time. Write it as 2026-01-31 or 2026-01-31T12:00:00Z.`,
      exitCodes.usage,
    );
  return time.toISOString();
}

function given(text: string | undefined): object {
  if (text === undefined) return {};
  try {
    const filter: unknown = JSON.parse(text);
    if (typeof filter === 'object' && filter !== null) return filter;
  } catch {
    // Said below.
  }
  throw new CommandError(
    '--filter has to be a JSON object, as the search of the API takes it.',
    exitCodes.usage,
  );
}
