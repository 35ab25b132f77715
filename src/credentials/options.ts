/**
 * Where credentials may come from. Empty texts count as not given, as in docker and podman; a
 * password alone may be empty.
 */
export interface CredentialOptions {
  /** With the password, used for every host that is asked for. */
  readonly username?: string | undefined;
  /** Only with a user name. */
  readonly password?: string | undefined;
  /** A docker config.json, or the directory that holds it; a leading `~` is the home directory. */
  readonly dockerCfg?: string | undefined;
  /** An auth.json as podman has it; a leading `~` is the home directory. */
  readonly authFile?: string | undefined;
  /** The environment that is looked at, and that credential helpers are run with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The default is the home directory of `env`, or else of the user. */
  readonly homeDir?: string | undefined;
  /** How long a credential helper may take; the default is 30 seconds. */
  readonly helperTimeoutMs?: number | undefined;
  /** Ends the credential helpers that are running. */
  readonly signal?: AbortSignal | undefined;
  /** Told once of each thing that was passed over. */
  readonly onWarning?: ((text: string) => void) | undefined;
}
