/*
 * The library: what the command line does, for programs. Nothing here touches the process or prints.
 */
export { createCredentialLookup, type CredentialOptions } from './credentials/lookup.js';
export { EXIT_CODES, ManifestToolError, type ErrorCode } from './errors.js';
export type {
  FetchedManifest,
  ImageReader,
  ImageStore,
  ImageWriter,
  ManifestContent,
} from './oci/content.js';
export { digestOf, isDigest, parseDigest, type Digest } from './oci/digest.js';
export type {
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
export type { PlanEvents } from './plan/events.js';
export { inspectImage, type InspectedImage, type InspectedList } from './plan/inspect.js';
export { copyImage } from './plan/copy.js';
export type { Publication } from './plan/publication.js';
export { pushList } from './plan/push.js';
export type { ListRequest, RequestedPlatform, SourceRequest } from './plan/request.js';
export type { PushPlan, TagState } from './plan/steps.js';
export { openStores, type Stores } from './plan/stores.js';
export { sourcesFromTemplate } from './plan/template.js';
export type { Access, RegistryOptions } from './registry/connect.js';
export type { Credential, CredentialLookup } from './transport/credential.js';
export type { RequestRecord } from './transport/log.js';
export { VERSION } from './version.js';
