import type { Command } from 'commander';
import { printAccessToken, printRefreshToken, printTokenInfo } from '../platform.ts';
import { setupConfig, updateToken } from '../setup.ts';
import { type CommonFlags, withConfig, withJson } from './options.ts';

export function configCommands(program: Command): void {
  const config = program.command('config').description('where Haic is, and your tokens');
  withConfig(
    config
      .command('setup')
      .description(
        'write the configuration; what no flag says is asked, the token is read from stdin in scripts',
      )
      .option('--endpoint <url>', 'address of Haic')
      .option('--oidc-url <url>', 'address of its issuer; by default what Haic says')
      .option('--client-id <id>', 'client of the token; by default what Haic says'),
  ).action(setupConfig);
  for (const [name, kind, description] of [
    ['update-token', 'cli', 'replace the token of the command line'],
    ['update-platform-token', 'platform', 'replace the token for all services'],
  ] as const)
    withConfig(
      config
        .command(name)
        .description(`${description}; read from stdin in scripts`)
        .option('--client-id <id>', 'client of the token; by default what Haic says'),
    ).action((flags: CommonFlags & { clientId?: string }) => updateToken({ ...flags, kind }));
}

export function platformCommands(program: Command): void {
  const platform = program.command('platform').description('tokens for other clients');
  for (const [name, description, act] of [
    ['token-info', 'the platform token, and where it is exchanged', printTokenInfo],
    ['refresh-token', 'the platform token alone', printRefreshToken],
    ['access-token', 'a fresh access token of a few minutes', printAccessToken],
  ] as const)
    withJson(platform.command(name).description(description)).action((flags: CommonFlags) =>
      act({ ...flags, json: flags.json === true }),
    );
}
