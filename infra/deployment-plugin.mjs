import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * Works out what depends on settings and parameters, as `${deployment:...}`, and refuses what would fail on AWS, or be
 * open to the world there. The rules stand in infra/deployment.
 */
export default class DeploymentPlugin {
  constructor(serverless) {
    this.serverless = serverless;
    this.configurationVariablesSources = {
      deployment: { resolve: async (source) => ({ value: await this.valueOf(source) }) },
    };
    this.hooks = {
      'after:aws:package:finalize:stripNullPropsFromTemplateResources': () => this.checkTemplate(),
    };
  }

  async valueOf({ address, resolveVariable }) {
    this.plan ??= this.makePlan(resolveVariable);
    const plan = await this.plan;
    return plan[address];
  }

  async makePlan(resolveVariable) {
    const { PARAMETER_NAMES, planDeployment } = await this.rules();
    const values = await Promise.all(
      PARAMETER_NAMES.map(async (name) => [name, await resolveVariable(`param:${name}, ''`)]),
    );
    return await this.orRefuse(planDeployment(Object.fromEntries(values)));
  }

  async checkTemplate() {
    const { service, serviceDir } = this.serverless;
    const { checkTemplate } = await this.rules();
    const template = service.provider.compiledCloudFormationTemplate;
    const { rotateBy } = await this.plan;
    await this.orRefuse(checkTemplate(template, path.join(serviceDir, 'lib'), rotateBy));
  }

  /** Written in TypeScript, which Node 20 does not read by itself. */
  async rules() {
    const { serviceDir } = this.serverless;
    const bundled = path.join(serviceDir, 'dist/infra/deployment.mjs');
    this.building ??= build({
      absWorkingDir: serviceDir,
      entryPoints: ['infra/deployment/index.ts'],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
    });
    await this.building;
    return await import(pathToFileURL(bundled).href);
  }

  /** In osls's own form a refusal is shown as it is, without a stack. */
  async orRefuse(work) {
    try {
      return await work;
    } catch (error) {
      throw Array.isArray(error.problems) ? new this.serverless.classes.Error(error.message) : error;
    }
  }
}
