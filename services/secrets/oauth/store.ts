import type { Database, TransactionSql } from '@haic/platform/database/port.ts';
import type { UnlockedVault, Vault } from '../sealing/vault.ts';
import { createClientStore } from './client-store.ts';
import { createSourceStore } from './source-store.ts';

export type OAuthStore = ReturnType<typeof createOAuthStore>;

export function createOAuthStore(options: { readonly database: Database; readonly vault: Vault }) {
  const { database, vault } = options;
  return {
    transaction: database.transaction,
    sealing: async <T>(work: (within: TransactionSql, unlocked: UnlockedVault) => Promise<T>): Promise<T> => {
      const unlocked = await vault.unlock();
      return database.transaction((within) => work(within, unlocked));
    },
    ...createClientStore(options),
    ...createSourceStore(options),
  };
}
