/** What a registry is told about its user; `source` says where it was found, for messages, and holds no secret. */
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
 * Finds the credential for a registry, `host[:port]` as users write it (`docker.io` for Docker Hub), and a repository in it.
 * Undefined means anonymous. An error of the source (a config that is no JSON, a helper that fails) is thrown, never hidden.
 */
export type CredentialLookup = (
  host: string,
  repository: string,
) => Promise<Credential | undefined>;
