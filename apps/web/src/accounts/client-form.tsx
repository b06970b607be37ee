import { Button, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useMe } from '../api/queries.ts';
import { CodeBlock } from '../components/copy.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { useReturnFocus } from '../components/return-focus.ts';
import { problemOfId } from '../secrets/ids.ts';
import {
  type ClientChanges,
  type OAuthClient,
  titleOfClient,
  useChangeClient,
  useCreateClient,
} from './client-queries.ts';
import { SecretField } from './secret-field.tsx';

/** What a form says of a client, as typed. */
interface Fields {
  readonly displayName: string;
  readonly scopes: string;
  readonly isRenewed: boolean;
  readonly claim: string;
}

const changesOf = ({ displayName, scopes, isRenewed, claim }: Fields): ClientChanges => ({
  displayName: displayName.trim(),
  extraScopes: scopes.split(/[\s,]+/).filter((scope) => scope !== ''),
  refreshDisabled: !isRenewed,
  loginPrincipalClaim: claim.trim(),
});

const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;

/** Registers what a provider gave; its redirect address is there to copy before. */
export function NewClientForm({ onClose }: { onClose: () => void }) {
  const publicUrl = useMe().data?.environment.publicUrl ?? '';
  const create = useCreateClient();
  const [fields, setFields] = useState<Fields>({ displayName: '', scopes: '', isRenewed: true, claim: '' });
  const [id, setId] = useState('');
  const [issuer, setIssuer] = useState('');
  const [clientId, setClientId] = useState('');
  const [clientSecret, setClientSecret] = useState('');
  const [oidcDisabled, setOidcDisabled] = useState(false);
  const [endpoints, setEndpoints] = useState({ authorizationEndpoint: '', tokenEndpoint: '' });
  const [tried, setTried] = useState(false);
  const idProblem = problemOfId(id);
  const missing = (value: string, what: string) => (tried && value.trim() === '' ? what : undefined);
  const isReady =
    idProblem === undefined &&
    issuer.trim() !== '' &&
    clientId.trim() !== '' &&
    (!oidcDisabled || Object.values(endpoints).every((address) => address.trim() !== ''));
  return (
    <ClientDialog
      title="Register an OAuth client"
      action="Register"
      fields={fields}
      onChange={setFields}
      onTried={() => setTried(true)}
      onClose={onClose}
      onSave={async () => {
        if (!isReady) return false;
        await create.mutateAsync({
          ...changesOf(fields),
          ...{ id, issuer: issuer.trim(), clientId: clientId.trim(), clientSecret, oidcDisabled },
          authorizationEndpoint: endpoints.authorizationEndpoint.trim(),
          tokenEndpoint: endpoints.tokenEndpoint.trim(),
        });
        return true;
      }}
    >
      <TextInput
        label="Id"
        description="How apps call it. It never changes."
        value={id}
        onChange={(event) => setId(event.currentTarget.value)}
        error={tried || id !== '' ? idProblem : undefined}
        {...plain}
        data-autofocus
      />
      {idProblem === undefined && (
        <div>
          <Text size="sm" mb={4}>
            Register this redirect address at the provider:
          </Text>
          <CodeBlock code={`${publicUrl}/api/connections/${id}/callback`} what="the redirect address" />
        </div>
      )}
      <TextInput
        label="Issuer"
        description="The provider’s address, such as https://idp.example.org."
        value={issuer}
        onChange={(event) => setIssuer(event.currentTarget.value)}
        error={missing(issuer, 'Say where the provider is.')}
        {...plain}
      />
      <TextInput
        label="Client id"
        description="As the provider gave it."
        value={clientId}
        onChange={(event) => setClientId(event.currentTarget.value)}
        error={missing(clientId, 'Paste what the provider gave you.')}
        {...plain}
      />
      <SecretField
        label="Client secret"
        description="Empty for a client without one. It is never shown again."
        value={clientSecret}
        onChange={setClientSecret}
      />
      <Switch
        label="Plain OAuth 2.0: the provider knows no OpenID Connect"
        checked={oidcDisabled}
        onChange={(event) => setOidcDisabled(event.currentTarget.checked)}
      />
      {oidcDisabled &&
        (['authorizationEndpoint', 'tokenEndpoint'] as const).map((name) => (
          <TextInput
            key={name}
            label={name === 'tokenEndpoint' ? 'Token endpoint' : 'Authorization endpoint'}
            value={endpoints[name]}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setEndpoints((now) => ({ ...now, [name]: value }));
            }}
            error={missing(endpoints[name], 'Such a provider cannot be asked for its addresses.')}
            {...plain}
          />
        ))}
    </ClientDialog>
  );
}

export function ChangeClientForm({ client, onClose }: { client: OAuthClient; onClose: () => void }) {
  const change = useChangeClient(client);
  const [fields, setFields] = useState<Fields>({
    displayName: client.displayName,
    scopes: client.extraScopes.join(' '),
    isRenewed: !client.refreshDisabled,
    claim: client.loginPrincipalClaim,
  });
  return (
    <ClientDialog
      title={`Change ${titleOfClient(client)}`}
      action="Save"
      fields={fields}
      onChange={setFields}
      onTried={() => undefined}
      onClose={onClose}
      onSave={async () => {
        await change.mutateAsync(changesOf(fields));
        return true;
      }}
    >
      <Text size="sm" c="dimmed" className="break">
        At {client.issuer} as {client.clientId}, which never changes. What is changed counts from the next
        login of each person on.
      </Text>
    </ClientDialog>
  );
}

function ClientDialog(props: {
  title: string;
  action: string;
  fields: Fields;
  onChange: (fields: Fields) => void;
  onTried: () => void;
  /** Whether it was sent at all. */
  onSave: () => Promise<boolean>;
  onClose: () => void;
  children: ReactNode;
}) {
  useReturnFocus();
  const { fields, onChange } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    props.onTried();
    setBusy(true);
    setError(undefined);
    try {
      if (await props.onSave()) return props.onClose();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered size="lg">
      <form onSubmit={(event) => void save(event)} autoComplete="off" noValidate>
        <Stack>
          {props.children}
          <TextInput
            label="Display name"
            description="As people know the provider."
            value={fields.displayName}
            onChange={(event) => onChange({ ...fields, displayName: event.currentTarget.value })}
            maxLength={63}
            autoComplete="off"
          />
          <TextInput
            label="Further scopes"
            description="What apps may do there, with spaces between. OpenID Connect’s own are asked for anyway."
            value={fields.scopes}
            onChange={(event) => onChange({ ...fields, scopes: event.currentTarget.value })}
            {...plain}
          />
          <TextInput
            label="Claim that says who logged in"
            placeholder="preferred_username"
            value={fields.claim}
            onChange={(event) => onChange({ ...fields, claim: event.currentTarget.value })}
            {...plain}
          />
          <Switch
            label="Renew access by itself, until the provider ends it"
            checked={fields.isRenewed}
            onChange={(event) => onChange({ ...fields, isRenewed: event.currentTarget.checked })}
          />
          <ProblemNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {props.action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
