import process from 'node:process';
import { readSettings } from '@haic/server/settings.ts';
import { type Command, Option } from 'commander';
import type { ExportFlags } from './audit/export.ts';

export function auditCommands(program: Command): void {
  const audit = program.command('audit').description('the audit trail: what happened, and who did it');
  audit
    .command('verify')
    .description('whether anything was changed or removed since it was recorded')
    .option('--json', 'JSON on stdout')
    .action(async (flags: { json?: boolean }) =>
      (await import('./audit/verify.ts')).verify(readSettings(process.env), { json: flags.json === true }),
    );
  audit
    .command('export')
    .description('events to stdout, newest first')
    .addOption(
      new Option('--format <format>', 'a line of JSON an event, or CSV')
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option('--since <time>', 'from then on')
    .option('--until <time>', 'before then')
    .option(
      '--principal <expression>',
      'users/<id> or services/<name>; an expression of RE2, as the next two',
    )
    .option('--action <expression>')
    .option('--resource <expression>')
    .option('--workspace <workspaces/id>')
    .option('--failed', 'only what was refused or went wrong')
    .option('--filter <json>', 'the filter of a search of the API')
    .action(async (flags: ExportFlags) =>
      (await import('./audit/export.ts')).exportTrail(readSettings(process.env), flags),
    );
}
