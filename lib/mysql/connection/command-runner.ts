/** Runs a statement of the broker, and returns its rows. */
export type CommandRunner = (sql: string) => Promise<readonly (readonly unknown[])[]>;
