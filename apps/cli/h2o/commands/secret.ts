import { type Command, Option } from 'commander';
import { connectApi } from '../api.ts';
import { createSecret, deleteSecret, getSecret, listSecrets, updateSecret } from '../secrets.ts';
import { type CommonFlags, onOne, withJson } from './options.ts';

interface PlaceFlags extends CommonFlags {
  readonly visibility?: string;
  readonly parent?: string;
}
interface Values {
  readonly fromLiteral: readonly string[];
  readonly fromFile: readonly string[];
}
type Place = Pick<PlaceFlags, 'visibility' | 'parent'>;

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const withValues = (command: Command): Command =>
  command
    .option('--from-file <key=path>', 'a value from a file, or from stdin where the path is -', collect, [])
    .option(
      '--from-literal <key=value>',
      'a value as it is; other users of this machine can see it while it runs',
      collect,
      [],
    );

const visibility = (about: string): Option =>
  new Option('-v, --visibility <visibility>', about).choices(['PRIVATE', 'ALL_USERS', 'APP']);

/** `secret`: one's own, and what is there for one's apps. */
export function secretCommands(program: Command): void {
  const own: Place = { visibility: 'PRIVATE' };
  const secret = program.command('secret').description('values that your apps get and nobody else sees');
  verbsOfChange(
    secret,
    (command) => command,
    () => own,
  );
  verbOfReading(
    secret,
    (command) => command,
    () => ({}),
  );
  withJson(secret.command('list').description('those that you may see, with their keys'))
    .addOption(visibility('only those'))
    .action(async (flags: PlaceFlags) =>
      listSecrets(await connectApi(flags), { visibility: flags.visibility, json: flags.json === true }),
    );
}

/** `admin secret`: those for all users and those of apps. */
export function adminSecretCommands(admin: Command): void {
  const secret = admin.command('secret').description('secrets for all users, and those of apps');
  const withPlace = (command: Command): Command =>
    command
      .addOption(visibility('of whose apps may use it (default: ALL_USERS, or APP with a parent)'))
      .option('-p, --parent <parent>', 'app:<name of the app>, for APP');
  verbsOfChange(secret, withPlace, placeOf);
  verbOfReading(secret, withPlace, placeOf);
  withPlace(withJson(secret.command('list').description('with their keys'))).action(
    async (flags: PlaceFlags) =>
      listSecrets(await connectApi(flags), { ...placeOf(flags), json: flags.json === true }),
  );
}

const placeOf = ({ visibility: asked, parent }: Place): Place => ({
  visibility: asked ?? (parent === undefined ? 'ALL_USERS' : 'APP'),
  ...(parent === undefined ? {} : { parent }),
});

function verbsOfChange(
  secret: Command,
  withPlace: (command: Command) => Command,
  place: (flags: Place) => Place,
): void {
  for (const [name, description, act] of [
    ['create', 'keep a new one', createSecret],
    ['update', 'replace all its keys', updateSecret],
  ] as const)
    onOne<PlaceFlags & Values>(
      withPlace(withValues(secret.command(`${name} <name>`).description(description))),
      (api, id, { fromLiteral, fromFile, json, ...flags }) =>
        act(api, id, { ...place(flags), fromLiteral, fromFile, json }),
    );
  onOne<PlaceFlags & { yes?: boolean }>(
    withPlace(
      secret
        .command('delete <name>')
        .description('delete one that no app uses')
        .option('-y, --yes', 'do not ask'),
    ),
    (api, id, { yes, json, ...flags }) => deleteSecret(api, id, { ...place(flags), yes: yes === true, json }),
  );
}

function verbOfReading(
  secret: Command,
  withPlace: (command: Command) => Command,
  place: (flags: Place) => Place,
): void {
  onOne<PlaceFlags & { expose?: boolean }>(
    withPlace(
      secret
        .command('get <name>')
        .description('its keys')
        .option('-e, --expose', 'with their values, which is recorded'),
    ),
    (api, id, { expose, json, ...flags }) =>
      getSecret(api, id, { ...place(flags), expose: expose === true, json }),
  );
}
