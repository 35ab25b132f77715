/**
 * The library of manifest-tool: everything that the command line does. {@link createClient} creates
 * the client that the other functions take. Nothing here prints, reads the environment by itself,
 * or shares state between clients.
 * @packageDocumentation
 */

// Client, readers and writers
export { createClient, type Client } from './core/client.js';
export type { Environment, HostRule, ClientOptions } from './core/client-options.js';
export type { Access } from './registry/registries.js';
export type {
  BlobOutcome,
  FetchedManifest,
  ImageReader,
  ImageStore,
  ImageWriter,
  ManifestContent,
  TagReading,
} from './oci/content.js';

// Credentials
export { createCredentialStore, type CredentialOptions } from './credentials/store.js';
export type { Credential, CredentialStore } from './http/auth/credential.js';

// Reading
export {
  describeImage,
  platformOf,
  type Described,
  type DescribeOptions,
  type DescribeRequest,
} from './core/read/describe.js';
export type { ListedReferrer } from './core/read/referrers.js';
export { queryImage, type QueriedEntry, type QueryResult } from './core/read/query.js';
export { findDigest, type ImageDigest } from './core/read/find-digest.js';
export { diffImages, type DiffRequest, type ImageDiff } from './core/read/diff.js';
export type {
  DiffChange,
  DiffEntry,
  Difference,
  DiffSide,
  ValueChange,
} from './core/read/difference.js';
export { listTags, type ListTagsRequest } from './core/read/list-tags.js';
export type { SelectionEvents } from './oci/select-entry.js';
export type { FetchedConfig } from './core/read/read-config.js';
export { totalsOf, type Totals } from './core/read/totals.js';
export {
  verifyImage,
  type Verification,
  type VerifiedEntry,
  type VerifyOptions,
} from './core/read/verify.js';
export type { ImageExecutables, NativeProgram, NativePrograms } from './core/read/executables.js';
export type { AttestationKind, Requirements } from './core/read/requirements.js';
export type { ContentFault, Defect, Requirement } from './core/read/defects.js';

// Publishing
export { pushIndex } from './core/publish/push.js';
export { copyImage, type CopyRequest, type CopySelection } from './core/publish/copy.js';
export { untag, type Untagged, type UntagRequest } from './core/edit/untag.js';
export { copyTags, type CopyTagsRequest, type TagCopy } from './core/publish/copy-tags.js';
export type { EntryFilter } from './core/publish/filter.js';
export { sourcesFromTemplate } from './core/publish/template.js';
export type {
  EntryAnnotations,
  IndexRequest,
  Publication,
  PublishingOptions,
  RequestedPlatform,
  RequestedType,
  SourceRequest,
  Spec,
  Target,
} from './core/publish/request.js';
export type { Outcome, PushResult } from './core/publish/publisher.js';
export type { LeftReferrer, TagChanges } from './core/publish/review.js';
export type { ChildStep, PushPlan, TagState } from './core/publish/plan.js';
export type { Transferred } from './core/publish/shared-writes.js';
export type { ResolvedImage } from './core/publish/resolved-image.js';
export type { BlobProgress, ProgressEvents } from './core/events.js';
export type { RequestRecord } from './http/log.js';
export type { Wait } from './http/retry.js';

// Editing
export { addToIndex, type AddRequest } from './core/edit/add.js';
export { annotateIndex, type AnnotateRequest } from './core/edit/annotate.js';
export { removeFromIndex, type RemoveRequest } from './core/edit/remove.js';
export type { EditRequest, EditResult } from './core/edit/edit-index.js';
export type { EntryChanges, Selection } from './core/edit/index-edits.js';

// Specs
export { requestOf, type RequestOf } from './core/publish/request-of.js';
export {
  checkSpecs,
  type CheckedSpec,
  type CheckSpecsOptions,
  type SpecFile,
} from './spec/check.js';
export { parseSpecs, type SpecOptions } from './spec/spec.js';
export { formatSpec } from './spec/format.js';

// Checking a registry
export {
  checkRegistry,
  type CheckOptions,
  type RegistryReport,
} from './check-registry/check-registry.js';
export type { CheckName, CheckResult } from './check-registry/check.js';
export type { ManifestLimit } from './check-registry/manifest-limit.js';

// Values
export { digestOf, isDigest, parseDigest, type Digest } from './oci/digest.js';
export type { AnnotationChanges } from './oci/annotations.js';
export type { Annotations, Descriptor } from './oci/descriptor.js';
export type { ImageConfig } from './oci/image-config.js';
export type { ImageDocument, ImageIndex, ImageManifest } from './oci/documents.js';
export { encodeIndex, type IndexType } from './oci/json/encode-index.js';
export { formatPlatform, parsePlatform, type Platform } from './oci/platform.js';
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
export { escapeText } from './text.js';
export { VERSION } from './version.js';
