import { useQueryClient } from '@tanstack/react-query';
import { NameDialog, ShareDialog } from './dialogs.tsx';
import { count, folderOf, nameOf } from './format.ts';
import { LinksDialog } from './links-dialog.tsx';
import { useOperate } from './operations.ts';
import { PlaceDialog } from './place-dialog.tsx';
import { PreviewDialog } from './preview-dialog.tsx';
import { lookAgain, makeFolder } from './queries.ts';
import { SnippetsDialog } from './snippets-dialog.tsx';
import { TrashDialog } from './trash-dialog.tsx';
import type { DriveBucket, DriveEntry } from './types.ts';
import { useBucketChoices } from './use-bucket-choices.ts';

/** What a person is asked, or shown, over a folder. */
export type Asked =
  | { readonly act: 'folder' | 'links' | 'trash' | 'snippets' }
  | { readonly act: 'open' | 'rename' | 'share'; readonly entry: DriveEntry }
  | { readonly act: 'copy' | 'move'; readonly keys: readonly string[] };

/** The dialog of what is asked just now, if any. */
export function FolderDialogs(props: {
  asked: Asked | undefined;
  bucket: DriveBucket;
  folder: string;
  onAsk: (asked: Asked | undefined) => void;
  onDownload: (entry: DriveEntry) => Promise<void>;
  onTransferred: () => void;
}) {
  const { asked, bucket, folder } = props;
  const client = useQueryClient();
  const operate = useOperate();
  const targets = useBucketChoices().filter(({ canWrite }) => canWrite);
  const close = () => props.onAsk(undefined);
  return (
    <>
      {asked?.act === 'folder' && (
        <NameDialog
          title="New folder"
          label="Name"
          action="Make the folder"
          name=""
          onName={async (name) => {
            await makeFolder(bucket.name, `${folder}${name}/`);
            lookAgain(client, bucket.name);
          }}
          onClose={close}
        />
      )}
      {asked?.act === 'rename' && (
        <NameDialog
          title={`Rename ${asked.entry.name}`}
          label="New name"
          action="Rename"
          name={asked.entry.name}
          onName={(name) => {
            const { key } = asked.entry;
            const as = `${folderOf(key)}${name}${key.endsWith('/') ? '/' : ''}`;
            return operate({
              ...{ kind: 'MOVE', bucket: bucket.name, keys: [key], collision: 'FAIL' },
              target: { bucket: bucket.name, as },
            });
          }}
          onClose={close}
        />
      )}
      {(asked?.act === 'copy' || asked?.act === 'move') && (
        <PlaceDialog
          title={`${asked.act === 'copy' ? 'Copy' : 'Move'} ${asked.keys.length === 1 ? nameOf(asked.keys[0] ?? '') : `${count(asked.keys.length)} items`}`}
          action={asked.act === 'copy' ? 'Copy here' : 'Move here'}
          from={{ bucket: bucket.name, folder }}
          buckets={targets}
          onChoose={async (place, collision) => {
            await operate({
              ...{
                kind: asked.act === 'copy' ? 'COPY' : 'MOVE',
                bucket: bucket.name,
                keys: asked.keys,
                collision,
              },
              target: { bucket: place.bucket, into: place.folder },
            });
            props.onTransferred();
          }}
          onClose={close}
        />
      )}
      {asked?.act === 'share' && (
        <ShareDialog bucket={bucket.name} objectKey={asked.entry.key} onClose={close} />
      )}
      {asked?.act === 'open' && (
        <PreviewDialog
          bucket={bucket.name}
          entry={asked.entry}
          onDownload={() => void props.onDownload(asked.entry)}
          onShare={() => props.onAsk({ act: 'share', entry: asked.entry })}
          onClose={close}
        />
      )}
      {asked?.act === 'links' && <LinksDialog bucket={bucket.name} onClose={close} />}
      {asked?.act === 'trash' && <TrashDialog bucket={bucket} onClose={close} />}
      {asked?.act === 'snippets' && <SnippetsDialog bucket={bucket.name} folder={folder} onClose={close} />}
    </>
  );
}
