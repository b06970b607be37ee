import process from 'node:process';
import { haicVersion } from '@haic/kit/version.ts';
import { newProgram, runProgram } from '../run-program.ts';
import { say } from '../terminal.ts';
import { withLongWide } from './commands/instance.ts';
import { h2oCommands } from './commands.ts';

const oldest = 20;
if (Number(process.versions.node.split('.')[0]) < oldest) {
  say(`h2o: Node ${process.versions.node} is too old; Node ${oldest} or newer is needed.`);
  process.exit(1);
}
const program = newProgram('h2o', 'The command line of the App Store.').version(haicVersion, '--version');
h2oCommands(program);
// No top-level await: the single file runs as a script and as a module alike.
void runProgram(program, withLongWide(process.argv.slice(2)));
