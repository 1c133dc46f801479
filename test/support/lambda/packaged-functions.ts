import path from 'node:path';
import * as z from 'zod';
import { resourcesOf, type Template } from '../../../infra/deployment/template.ts';
import { templateOf } from '../packages/service.ts';
import { sharedService } from '../packages/shared-packages.ts';
import { type LambdaFunction, startFunction } from './start-function.ts';

/** What the template tells Lambda of a function. */
const FunctionProperties = z.object({
  FunctionName: z.string(),
  Handler: z.string(),
  Timeout: z.number(),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }),
});

export interface StartOptions {
  /** Instead of what the template says; only variables that it has can be replaced. `undefined` takes one away. */
  readonly replace?: Readonly<Record<string, string | undefined>>;
  /** What Lambda itself, or the SDK, brings. */
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** Default: what the template says. */
  readonly timeoutMs?: number;
}

/** The project's functions as they are deployed: archives, handlers and environments are those of the package. */
export class PackagedFunctions {
  readonly #packaged: string;
  readonly #template: Template;

  private constructor(packaged: string, template: Template) {
    this.#packaged = packaged;
    this.#template = template;
  }

  static async build(): Promise<PackagedFunctions> {
    const service = await sharedService(['--stage', 'dev']);
    if (service.exitCode !== 0) throw new Error(service.output);
    return new PackagedFunctions(service.packaged, await templateOf(service));
  }

  async start(
    name: string,
    { replace = {}, env = {}, node, timeoutMs }: StartOptions,
  ): Promise<LambdaFunction> {
    const { Handler, Timeout, FunctionName, Environment } = this.#propertiesOf(name);
    const replaced = Object.entries(Environment.Variables).map(([key, value]) => [
      key,
      key in replace ? replace[key] : value,
    ]);
    const variables: Record<string, string> = Object.fromEntries(
      replaced.filter(([, value]) => value !== undefined),
    );
    return await startFunction({
      zip: path.join(this.#packaged, `${name}.zip`),
      handler: Handler,
      env: { ...variables, ...env },
      node,
      timeoutMs: timeoutMs ?? Timeout * 1_000,
      name: FunctionName,
    });
  }

  #propertiesOf(name: string): z.infer<typeof FunctionProperties> {
    const functions = resourcesOf(this.#template, 'AWS::Lambda::Function').map(([, { Properties }]) =>
      FunctionProperties.parse(Properties),
    );
    const found = functions.find(({ Code }) => Code.S3Key.endsWith(`/${name}.zip`));
    if (found === undefined) throw new Error(`The template has no function of ${name}.zip`);
    return found;
  }
}
