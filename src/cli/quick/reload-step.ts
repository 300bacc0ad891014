/** One part of a reload: done as a whole, or taken back. */
export interface ReloadStep {
  /** Lines for the user, one per change: `+` new, `-` gone, `~` different. */
  readonly lines: readonly string[];
  apply(): Promise<void>;
  /** Restores the old state, however far `apply` came. */
  revert(): Promise<void>;
}
