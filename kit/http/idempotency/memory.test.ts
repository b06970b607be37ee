import { idempotencyStoreContract } from './contract.ts';
import { createMemoryIdempotencyStore } from './memory.ts';

idempotencyStoreContract('memory', createMemoryIdempotencyStore);
