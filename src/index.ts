/**
 * The library of manifest-tool: everything that the command line does. {@link createClient} creates
 * a client, and its methods are the commands. Nothing here prints, reads the environment by itself,
 * or shares state between clients.
 * @packageDocumentation
 */

// Client
export {
  createClient,
  type Client,
  type ClientEvents,
  type ClientOptions,
  type HostRule,
} from './library/client.js';
export type { CallOptions } from './library/call.js';
export type { CallEvents, ManifestEvent, Progress, TagEvent } from './library/events.js';
export type { BlobProgress } from './core/events.js';
export type { RequestRecord } from './http/log.js';
export type { Wait } from './http/retry.js';

// Credentials
export { createCredentialStore, type CredentialOptions } from './credentials/store.js';
export type { Credential, CredentialStore } from './http/auth/credential.js';

// Reading
export type {
  Inspected,
  InspectedArtifact,
  InspectedContent,
  InspectedImage,
  InspectedIndex,
  Inspection,
  InspectOptions,
  Referrer,
} from './library/inspect.js';
export type { Totals } from './core/read/totals.js';
export type {
  Defect,
  DiffChange,
  DiffEntry,
  Difference,
  DiffOptions,
  DiffSide,
  DigestOptions,
  ImageDiff,
  ListTagsOptions,
  QueriedEntry,
  QueryResult,
  ValueChange,
  Verification,
  VerifiedEntry,
  VerifyOptions,
} from './library/read.js';
export type { ImageExecutables, NativeProgram, NativePrograms } from './core/read/executables.js';
export type { AttestationKind } from './core/read/requirements.js';
export type { ContentFault, Requirement } from './core/read/defects.js';

// Writing
export type {
  AddRequest,
  AnnotateRequest,
  AnnotationChanges,
  CopyRequest,
  CopyTagsRequest,
  EditRequest,
  EditResult,
  EntryAnnotations,
  EntryFilter,
  LeftReferrer,
  Outcome,
  PublishingOptions,
  PublishResult,
  PushRequest,
  RemoveRequest,
  Selection,
  Source,
  SourceOptions,
  TagChanges,
  TagCopyOutcome,
  TagOutcome,
  Target,
  TargetWrites,
  UntagOutcome,
  UntagRequest,
  WrittenManifest,
} from './library/write.js';
export type { RequestedType } from './core/publish/request.js';
export type { Transferred } from './core/publish/shared-writes.js';
export type { IndexType } from './oci/json/encode-index.js';

// Specs
export {
  checkSpecs,
  formatSpec,
  parseSpecs,
  sourcesFromTemplate,
  type CheckedSpec,
  type CheckSpecsOptions,
  type Spec,
  type SpecFile,
  type SpecOf,
  type SpecOptions,
  type SpecSource,
} from './library/specs.js';

// Checking a registry
export type {
  CheckRegistryOptions,
  ManifestLimit,
  RegistryReport,
} from './library/registry-check.js';
export type { CheckName, CheckResult } from './check-registry/check.js';

// Values
export type { Annotations, ContentDescriptor, Descriptor, JsonValue } from './library/data.js';
export { isDigest, type Digest } from './oci/digest.js';
export { formatPlatform, parsePlatform, type Platform } from './oci/platform.js';
export { hasPlatforms, platformsMatch } from './library/platforms.js';
export {
  formatReference,
  parseReference,
  type ArchiveReference,
  type LayoutReference,
  type Reference,
  type RegistryReference,
} from './oci/reference.js';

// Errors
export {
  ManifestToolError,
  type ErrorCode,
  type ErrorData,
  type ErrorDetails,
  type ErrorReason,
  type ErrorRecord,
  type RegistryErrorEntry,
} from './errors.js';
export { VERSION } from './version.js';
