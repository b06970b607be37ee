import { useState } from 'react';
import { filesOfDrop } from './chosen-files.ts';
import type { ChosenFile } from './uploads.ts';

/** Handlers for the place that files and folders are dropped on. */
export function useDrop(
  enabled: boolean,
  onFiles: (files: readonly ChosenFile[]) => void,
  onProblem: (problem: unknown) => void,
) {
  const [depth, setDepth] = useState(0);
  const hasFiles = (event: React.DragEvent) => enabled && event.dataTransfer.types.includes('Files');
  return {
    isOver: depth > 0,
    handlers: {
      onDragEnter: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => now + 1),
      onDragLeave: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => Math.max(0, now - 1)),
      onDragOver: (event: React.DragEvent) => hasFiles(event) && event.preventDefault(),
      onDrop: (event: React.DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setDepth(0);
        filesOfDrop(event.dataTransfer).then(onFiles).catch(onProblem);
      },
    },
  };
}
