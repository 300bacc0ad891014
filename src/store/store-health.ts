import type { Backup } from './backups.js';

/** How the store is, for the page and for programs that watch. */
export interface StoreHealth {
  readonly folder: string;
  readonly revision: number;
  readonly stateBytes: number;
  readonly statsBytes: number;
  /** The newest first. */
  readonly backups: readonly Backup[];
  /** Where the damaged `stats.db` is that was found when the store was opened. History begins anew. */
  readonly statsSetAside?: string;
  /** Why the last daily backup failed. */
  readonly backupProblem?: string;
}
