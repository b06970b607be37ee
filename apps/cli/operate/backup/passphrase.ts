import process from 'node:process';
import { Writable } from 'node:stream';
import { CommandError, exitCodes, readStdin, say } from '../../terminal.ts';

export interface PassphraseFlags {
  readonly encrypt?: boolean;
  readonly passphraseStdin?: boolean;
}

/** For a new backup: undefined when none was asked for. */
export async function newPassphrase(flags: PassphraseFlags): Promise<string | undefined> {
  if (flags.passphraseStdin === true) return checked(await readStdin());
  if (flags.encrypt !== true) return undefined;
  const first = checked(await askHidden('Passphrase: '));
  if ((await askHidden('Once more: ')) !== first)
    throw new CommandError('The two are not the same. Nothing was written.');
  return first;
}

/** For one that is encrypted. */
export const knownPassphrase = async (flags: PassphraseFlags): Promise<string> =>
  flags.passphraseStdin === true ? readStdin() : askHidden('Passphrase of the backup: ');

function checked(passphrase: string): string {
  if (passphrase.length >= 8) return passphrase;
  throw new CommandError(
    'A passphrase of less than 8 characters protects nothing. Nothing was written.',
    exitCodes.usage,
  );
}

/** Asks on a terminal without showing what is typed. */
async function askHidden(question: string): Promise<string> {
  if (process.stdin.isTTY !== true)
    throw new CommandError('A passphrase is needed. Give it on stdin: --passphrase-stdin', exitCodes.usage);
  const { createInterface } = await import('node:readline/promises');
  process.stderr.write(question);
  const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nothing, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    say('');
  }
}
