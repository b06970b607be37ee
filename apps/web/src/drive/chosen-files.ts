import type { ChosenFile } from './uploads.ts';

/** Of an input; of one that takes folders, each file knows its place in them. */
export const filesOfInput = (files: FileList | null): ChosenFile[] =>
  [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/** Of what was dropped: files, and whole folders. What they are must be asked before the event has passed. */
export async function filesOfDrop(transfer: DataTransfer): Promise<ChosenFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const chosen: ChosenFile[] = [];
  for (const { entry, file } of dropped) {
    if (entry?.isDirectory === true) await collect(entry, '', chosen);
    else if (file !== null) chosen.push({ file, path: file.name });
  }
  return chosen;
}

async function collect(entry: FileSystemEntry, above: string, into: ChosenFile[]): Promise<void> {
  const path = above + entry.name;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    into.push({ file, path });
    return;
  }
  if (!isDirectory(entry)) return;
  const reader = entry.createReader();
  for (;;) {
    // A hundred at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const below of some) await collect(below, `${path}/`, into);
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
