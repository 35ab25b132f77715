/**
 * The library of manifest-tool: what the command line does, for programs. {@link openStores} opens registries and layouts, and every other
 * function takes what it gives. Nothing here prints, reads the environment by itself, or keeps state between two stores.
 * @packageDocumentation
 */

// Stores, readers and writers
export { openStores, type Stores } from './plan/stores.js';
export type { Environment, HostRule, StoreOptions } from './plan/store-options.js';
export type { Access } from './registry/connect.js';
export type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ImageWriter,
  ManifestContent,
} from './oci/content.js';

// Credentials
export { createCredentialLookup, type CredentialOptions } from './credentials/lookup.js';
export type { Credential, CredentialLookup } from './transport/credential.js';

// What is read
export {
  describeImage,
  platformOf,
  type Described,
  type DescribeOptions,
  type DescribeRequest,
} from './plan/describe.js';
export { queryImage, type QueryResult } from './plan/query.js';
export type { FetchedConfig } from './plan/read-config.js';
export { totalsOf, type Totals } from './plan/totals.js';
export {
  verifyImage,
  type Verification,
  type VerifiedEntry,
  type VerifyOptions,
} from './plan/verify.js';
export type { Defect } from './plan/defects.js';

// What is published
export { pushList } from './plan/push.js';
export { copyImage, type CopyRequest } from './plan/copy.js';
export { sourcesFromTemplate } from './plan/template.js';
export type {
  EntryAnnotations,
  ListRequest,
  RequestedPlatform,
  RequestedType,
  SourceRequest,
  Spec,
} from './plan/request.js';
export type { Publication, PublishingOptions, Target } from './plan/publication.js';
export type { Outcome, PushResult } from './plan/publish.js';
export type { ChildStep, PushPlan, TagState } from './plan/steps.js';
export type { ResolvedImage } from './plan/resolved.js';
export type { BlobProgress, PlanEvents } from './plan/events.js';
export type { RequestRecord } from './transport/log.js';
export type { Wait } from './transport/retry.js';

// What is edited
export { addToList, type AddRequest } from './plan/add.js';
export {
  annotateList,
  removeFromList,
  type AnnotateRequest,
  type RemoveRequest,
} from './plan/change.js';
export type { EditRequest, EditResult } from './plan/edit.js';
export type { EntryChanges, Selection } from './plan/edits.js';

// Specs
export { requestOf, type RequestOf } from './plan/request-of.js';
export {
  checkSpecs,
  type CheckedSpec,
  type CheckSpecsOptions,
  type SpecFile,
} from './spec/check.js';
export { parseSpecs, type SpecOptions } from './spec/spec.js';
export { formatSpec } from './spec/text.js';

// What a registry supports
export {
  checkRegistry,
  type CheckOptions,
  type RegistryReport,
} from './plan/check-registry/check-registry.js';
export type { CheckName, CheckResult } from './plan/check-registry/check.js';
export type { ManifestLimit } from './plan/check-registry/limits.js';

// Values
export { digestOf, isDigest, parseDigest, type Digest } from './oci/digest.js';
export type {
  Annotations,
  Descriptor,
  ImageConfig,
  ImageDocument,
  ImageIndex,
  ImageManifest,
} from './oci/documents.js';
export { encodeIndex, type ListType } from './oci/encode-index.js';
export { formatPlatform, parsePlatform, type Platform } from './oci/platform.js';
export {
  formatReference,
  parseReference,
  type LayoutReference,
  type Reference,
  type RegistryReference,
} from './oci/reference.js';

// Errors and words
export { EXIT_CODES, ManifestToolError, type ErrorCode, type ErrorDetails } from './errors.js';
export { escapeText } from './text.js';
export { VERSION } from './version.js';
