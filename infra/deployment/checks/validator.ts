import { CelEngine } from '@aws/cloudformation-validate';
import type { Template } from '../template.ts';

/** Only warnings to the validator: a value that is not on the list, and a runtime that AWS takes no longer. */
const SERIOUS = ['W3030', 'W2531'];
/** DependsOn that osls writes twice, a condition that nothing uses, numbers where a string is wanted. */
const HARMLESS = ['W3005', 'W8001', 'W8003', 'W9002', 'W9003'];

/** What AWS's own validator finds wrong with a template. It asks nobody. */
export function validationProblems(template: Template): string[] {
  const bytes = new TextEncoder().encode(JSON.stringify(template));
  const engine = new CelEngine();
  try {
    const report = engine.validateStandard(
      { path: 'template.json', readBytes: () => bytes },
      { severityLevel: 'WARN', exclude: { ids: HARMLESS } },
    );
    return report.diagnostics
      .filter(({ severity, ruleId }) => severity !== 'WARN' || SERIOUS.includes(ruleId))
      .map(({ ruleId, entity, message }) => `${entity?.logicalId ?? 'the template'}: ${message} (${ruleId})`);
  } finally {
    engine.free();
  }
}
