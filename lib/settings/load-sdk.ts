/**
 * The AWS SDK, loaded when something needs it.
 *
 * On Node.js 20 a client of it warns of versions to come, which will need a newer Node.js. Which version is installed is
 * this package's choice: nobody who runs the broker can do anything about it. A value of the variable's own stays.
 */
export async function loadSdk() {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return await import('@aws-sdk/client-secrets-manager');
}
