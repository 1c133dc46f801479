/** The AWS SDK, loaded when something needs it. */
export async function loadSdk() {
  omitNodeWarning();
  return await import('@aws-sdk/client-secrets-manager');
}

/**
 * On Node.js 20 the SDK's clients warn that later versions need a newer Node.js. This package pins the version, so the
 * warning does not concern its users. A variable that is set already is not changed.
 */
export function omitNodeWarning(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}
