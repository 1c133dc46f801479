import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { zipSync } from 'fflate';

/** Those dependencies load Node's own modules by `require`, which an ES module does not have. */
const REQUIRE =
  "import{createRequire as _createRequire}from'node:module';const require=_createRequire(import.meta.url);";

const ZIP_OPTIONS = {
  level: 9,
  // An archive states local time: the same file makes the same archive, whenever and wherever it is packed.
  mtime: new Date(1980, 0, 1),
  // Of Unix: a plain file that everybody may read.
  os: 3,
  attrs: 0o100644 << 16,
};

/**
 * Bundles each function's TypeScript into one minified ES module, which is all that its package holds. Packed here and
 * not by osls, which would walk through all of node_modules for it.
 *
 * `custom.bundle.maxBytes` bounds bundles by function name: what a function imports, every cold start pays for.
 * `custom.bundle.withRequire` names the functions that have dependencies in CommonJS form.
 */
export default class BundlePlugin {
  constructor(serverless, _options, { log }) {
    this.serverless = serverless;
    this.log = log;
    serverless.configSchemaHandler.defineCustomProperties({
      type: 'object',
      properties: {
        bundle: {
          type: 'object',
          properties: {
            maxBytes: { type: 'object', additionalProperties: { type: 'integer' } },
            withRequire: { type: 'array', items: { type: 'string' } },
          },
          additionalProperties: false,
        },
      },
    });
    const bundleAll = () => this.bundleAll();
    // serverless-offline runs what is deployed: from source it takes seconds before a function's first answer.
    const bundleToRun = () => this.bundleAll({ isPacked: false });
    this.hooks = {
      'before:offline:start:init': bundleToRun,
      'before:offline:start': bundleToRun,
      'before:package:createDeploymentArtifacts': bundleAll,
      'before:package:function:package': bundleAll,
      'before:deploy:function:packageFunction': bundleAll,
    };
  }

  async bundleAll({ isPacked = true } = {}) {
    const { service } = this.serverless;
    const names = service.getAllFunctions();
    await Promise.all(names.map((name) => this.bundle(name, service.getFunction(name), isPacked)));
  }

  async bundle(name, definition, isPacked) {
    // functions/query.handler -> functions/query.ts -> dist/functions/query.mjs
    const { dir, name: file, ext: exportName } = path.parse(definition.handler);
    const module = `${dir}/${file}`;
    const bundled = `dist/${module}.mjs`;
    const { metafile } = await build({
      absWorkingDir: this.serverless.serviceDir,
      entryPoints: [`${module}.ts`],
      outfile: bundled,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      target: 'node22',
      // The runtime brings the SDK.
      external: ['@aws-sdk/*'],
      banner: this.serverless.service.custom?.bundle?.withRequire?.includes(name) ? { js: REQUIRE } : {},
      legalComments: 'none',
      metafile: true,
    });
    this.checkSize(name, metafile.outputs[bundled].bytes);
    definition.handler = `dist/${module}${exportName}`;
    if (isPacked) definition.package = { individually: true, artifact: await this.pack(name, bundled) };
  }

  /** Where osls would leave it. */
  async pack(name, bundled) {
    const { serviceDir } = this.serverless;
    const artifact = path.join(serviceDir, '.serverless', `${name}.zip`);
    await mkdir(path.dirname(artifact), { recursive: true });
    const content = await readFile(path.join(serviceDir, bundled));
    await writeFile(artifact, zipSync({ [bundled]: [content, ZIP_OPTIONS] }));
    return artifact;
  }

  checkSize(name, bytes) {
    const maxBytes = this.serverless.service.custom?.bundle?.maxBytes?.[name] ?? Number.POSITIVE_INFINITY;
    if (bytes > maxBytes) {
      const problem = `The bundle of the function "${name}" has ${bytes} bytes, ${maxBytes} are allowed.`;
      throw new this.serverless.classes.Error(`${problem} See what it imports.`);
    }
    this.log.notice(`Bundled ${name}: ${bytes} bytes`);
  }
}
