import { createClient, type Digest } from 'manifest-tool';

// Outside of the handler, so that calls of the same instance share connections and tokens.
const client = createClient({ timeoutMs: 5_000, retries: 1 });

interface Event {
  readonly image: string;
  readonly platform: string;
}

/** Finds the digest to deploy, within the time that the platform gives the function. */
export async function handler(
  { image, platform }: Event,
  context: { getRemainingTimeInMillis(): number },
): Promise<{ readonly digest: Digest }> {
  const signal = AbortSignal.timeout(context.getRemainingTimeInMillis() - 500);
  const { digest } = await client.digestOf(image, { platform, signal });
  return { digest };
}
