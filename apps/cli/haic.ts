import process from 'node:process';
import { trustOwnAuthority } from '@haic/server/trust.ts';
import { withLongWide } from './h2o/commands/instance.ts';
import { h2oCommands } from './h2o/commands.ts';
import { operateCommands } from './operate/commands.ts';
import { newProgram, runProgram } from './run-program.ts';

const program = newProgram('haic', 'An open, self-hosted H2O AI Cloud.');
program.hook('preAction', () => trustOwnAuthority(process.env.HAIC_CA_FILE || undefined));
operateCommands(program);
h2oCommands(program);
await runProgram(program, withLongWide(process.argv.slice(2)));
