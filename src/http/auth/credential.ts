/**
 * What authenticates a user to a registry. `source` says where it was found, for messages, and
 * holds no secret.
 */
export type Credential =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly password: string;
      readonly source: string;
    }
  | { readonly kind: 'identity-token'; readonly token: string; readonly source: string }
  | { readonly kind: 'registry-token'; readonly token: string; readonly source: string };

/**
 * Credentials by registry and repository. `host` is `host[:port]` as it appears in references
 * (`docker.io` for Docker Hub), `repository` the name below it.
 */
export interface CredentialStore {
  /**
   * The credential for a repository; undefined means anonymous. Asked once for each repository of a
   * client, when its registry first demands authentication; without `has`, also when it first denies
   * that something exists. Whatever it throws for a demand reaches the caller of the client
   * unchanged.
   */
  get(host: string, repository: string): Promise<Credential | undefined>;
  /**
   * Whether `get` is likely to find a credential, answered without the cost of finding it, such as
   * running a credential helper. Registries that will probably demand authentication then get one
   * request first instead of a burst of requests that are all refused. Without this method, no
   * demand is expected.
   */
  has?(host: string, repository: string): Promise<boolean>;
}

/** Thrown through the transport when a {@link CredentialStore} throws; holds what it threw. */
export class CredentialStoreFailure extends Error {
  constructor(readonly thrown: unknown) {
    super('the credential store failed', { cause: thrown });
  }
}

/** A key that two credentials share if they authenticate the same user in the same way. */
export function credentialKey(credential: Credential | undefined): string {
  if (credential === undefined) return 'anonymous';
  return credential.kind === 'password'
    ? JSON.stringify([credential.kind, credential.username, credential.password])
    : JSON.stringify([credential.kind, credential.token]);
}
