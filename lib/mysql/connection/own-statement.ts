/** Runs a statement of the broker's own. Its rows. */
export type Ask = (sql: string) => Promise<readonly (readonly unknown[])[]>;
