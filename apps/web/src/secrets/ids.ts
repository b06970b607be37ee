const idForm = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with the id of something in the secure store, if anything is. */
export const problemOfId = (id: string): string | undefined =>
  idForm.test(id) ? undefined : 'At most 63 of a-z 0-9 and -, beginning with a letter and not ending with -.';
