/** What infra/deployment-plugin.mjs asks of here. */
export { checkTemplate } from './checks/check-template.ts';
export { overviewLines } from './overview.ts';
export { planDeployment } from './plan.ts';
export { preflight, preflightList } from './preflight.ts';
