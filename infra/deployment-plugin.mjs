import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * Works out what depends on settings and parameters, as `${deployment:...}`, and refuses what would fail on AWS, or be
 * open to the world there. The rules stand in infra/deployment.
 */
export default class DeploymentPlugin {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.options = options;
    this.log = log;
    this.commands = {
      preflight: {
        usage: 'Asks AWS whether the image and the secrets of a deployment are there',
        lifecycleEvents: ['ask'],
        options: { 'dry-run': { usage: 'Tells what would be asked, and asks nobody', type: 'boolean' } },
      },
    };
    this.configurationVariablesSources = {
      deployment: { resolve: async ({ address }) => ({ value: (await this.planned())[address] }) },
    };
    this.hooks = {
      'after:aws:package:finalize:stripNullPropsFromTemplateResources': () => this.checkTemplate(),
      'after:package:finalize': () => this.summarise(),
      'before:deploy:deploy': () => this.preflight(),
      'preflight:ask': () => this.preflight(),
    };
  }

  /** Before variables are resolved: a refusal there is repeated for each place that has one. */
  async asyncInit() {
    const { commands, isHelpRequest } = this.serverless.processedInput;
    // What comes with serverless-offline's own command is read only when all plugins are there.
    if (!isHelpRequest && commands[0] !== 'offline') await this.planned();
  }

  async planned() {
    this.plan ??= this.makePlan();
    return await this.plan;
  }

  async makePlan() {
    const { planDeployment } = await this.rules();
    const { commands, options } = this.serverless.processedInput;
    const { params = {}, provider = {} } = this.serverless.configurationInput;
    const stage = options.stage ?? (isResolved(provider.stage) ? provider.stage : undefined) ?? 'dev';
    const ofStage = params[stage] ?? {};
    const ofCommand = Object.fromEntries([options.param ?? []].flat().map(nameAndValue));
    const values = Object.entries({ ...params.default, ...ofStage, ...ofCommand });
    const planning = planDeployment(Object.fromEntries(values.filter(([, value]) => isResolved(value))), {
      given: [...Object.keys(ofStage), ...Object.keys(ofCommand)],
      declared: Object.keys(params.default ?? {}),
      isDeployed: ['deploy', 'preflight'].includes(commands[0]),
    });
    return await this.orRefuse(planning);
  }

  async checkTemplate() {
    const { service, serviceDir } = this.serverless;
    const { checkTemplate } = await this.rules();
    const template = service.provider.compiledCloudFormationTemplate;
    await this.orRefuse(checkTemplate(template, path.join(serviceDir, 'lib'), await this.planned()));
  }

  async summarise() {
    const { overviewLines } = await this.rules();
    const { overview } = await this.planned();
    for (const line of overviewLines(overview)) this.log.notice(line);
  }

  async preflight() {
    const { preflight, preflightList } = await this.rules();
    const { overview } = await this.planned();
    const list = preflightList(overview);
    if (this.options['dry-run']) {
      for (const line of list) this.log.notice(`Would be asked for: ${line}`);
      return;
    }
    const config = await this.serverless.getProvider('aws').getAwsSdkV3Config();
    await this.orRefuse(preflight(overview, config));
    for (const line of list) this.log.notice(`Is there: ${line}`);
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

/** A parameter may hold a variable, which later ones of osls's steps resolve. */
function isResolved(value) {
  return value !== undefined && value !== null && !String(value).includes('${');
}

/** `name=value`; osls itself refuses another form. */
function nameAndValue(text) {
  const [name, ...value] = text.split('=');
  return [name, value.join('=').trimEnd()];
}
