/** The AWS SDK, loaded when something needs it. */
export async function loadSdk() {
  omitNodeWarning();
  return await import('@aws-sdk/client-secrets-manager');
}

/**
 * On Node.js 20 the SDK's clients warn of versions to come, which will need a newer Node.js. Which version is installed is
 * this package's choice: nobody who runs it can do anything about it. A value of the variable's own stays.
 */
export function omitNodeWarning(): void {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
}
