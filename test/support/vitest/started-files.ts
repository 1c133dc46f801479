import type { Reporter, TestModule } from 'vitest/node';

/** Where no terminal shows what runs: a line for each file that begins. The first ends only after a minute. */
export class StartedFiles implements Reporter {
  readonly #beganAtMs = performance.now();

  onTestModuleStart({ relativeModuleId }: Pick<TestModule, 'relativeModuleId'>): void {
    const seconds = ((performance.now() - this.#beganAtMs) / 1_000).toFixed(0);
    console.log(` > ${relativeModuleId}, at ${seconds} s`);
  }
}
