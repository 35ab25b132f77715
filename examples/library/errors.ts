import { createClient, ManifestToolError } from 'manifest-tool';

await using client = createClient({ retries: 0 });
for (const reference of [
  'localhost:5000/acme/app:none',
  'localhost:1/app',
  'localhost:5000/ACME',
]) {
  try {
    await client.inspect(reference);
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    const { code, status, errors, retriable } = error;
    const codes = errors.map((each) => each.code);
    console.log(code, status, codes, retriable ? 'try again later' : 'do not try again');
  }
}
try {
  // @ts-expect-error: a mistake in the program
  await client.inspect('localhost:5000/acme/app', { platfrom: 'linux/arm64' });
} catch (error) {
  console.log(String(error));
}
