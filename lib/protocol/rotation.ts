import * as z from 'zod/mini';

/** In the order in which Secrets Manager calls them. */
export const ROTATION_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

export function isRotationStep(name: string): name is RotationStep {
  return ROTATION_STEPS.some((step) => step === name);
}

/** What Secrets Manager sends to a rotation function. Unknown fields are ignored. */
export const RotationEvent = z.object({
  Step: z.enum(ROTATION_STEPS),
  /** The ARN of the secret. */
  SecretId: z.string().check(z.minLength(1), z.maxLength(2048)),
  /** Id of the new version. */
  ClientRequestToken: z.string().check(z.minLength(32), z.maxLength(64)),
  /** Proves, for a secret of another account, that this is its rotation. */
  RotationToken: z.optional(z.string()),
});
export type RotationEvent = z.infer<typeof RotationEvent>;
