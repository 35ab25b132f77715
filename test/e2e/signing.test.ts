import { createSign, createVerify, generateKeyPairSync } from 'node:crypto';
import { accessSync, chmodSync, constants, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { Workplace } from '../support/documented.js';
import { getManifest, putBlob, putManifest, request } from '../support/http.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { PARITY_IMAGES, seedParityImages } from '../support/seed.js';

/** docs/guides/sign-and-attest.md: signatures stay valid when `copy --referrers` promotes an index. */

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

describe('a signature in the form of cosign 2', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let registry: Registry;
  let other: Registry;

  beforeAll(async () => {
    [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
    await seedParityImages(registry.host, { repositories: ['oci/app'] });
  });

  afterAll(() => Promise.all([registry.stop(), other.stop()]));

  const tagOf = (digest: string): string => `${digest.replace(':', '-')}.sig`;

  /** Signs as `cosign sign` does: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
  async function sign(repository: string, digest: string): Promise<void> {
    const payload = Buffer.from(
      JSON.stringify({
        critical: {
          identity: { 'docker-reference': `${registry.host}/${repository}` },
          image: { 'docker-manifest-digest': digest },
          type: 'cosign container image signature',
        },
        optional: null,
      }),
    );
    const config = Buffer.from('{}');
    const blob = async (bytes: Buffer, mediaType: string) => {
      return {
        mediaType,
        digest: await putBlob(registry.host, repository, bytes),
        size: bytes.length,
      };
    };
    const signature = createSign('sha256').update(payload).sign(privateKey, 'base64');
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: await blob(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [
        {
          ...(await blob(payload, 'application/vnd.dev.cosign.simplesigning.v1+json')),
          annotations: { 'dev.cosignproject.cosign/signature': signature },
        },
      ],
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    await putManifest(registry.host, repository, tagOf(digest), OCI_MANIFEST, bytes);
  }

  /** Whether a registry has a valid signature of a manifest. */
  async function isSigned(host: string, repository: string, digest: string): Promise<boolean> {
    const { status, body } = await getManifest(host, repository, tagOf(digest));
    if (status !== 200) return false;
    const { layers } = JSON.parse(body) as {
      layers: { digest: string; annotations: Record<string, string> }[];
    };
    const [layer] = layers as [(typeof layers)[number]];
    const url = `http://${host}/v2/${repository}/blobs/${layer.digest}`;
    const { body: payload } = await request('GET', url);
    const { critical } = JSON.parse(payload.toString()) as {
      critical: { image: { 'docker-manifest-digest': string } };
    };
    const signature = layer.annotations['dev.cosignproject.cosign/signature']!;
    const isValid = createVerify('sha256').update(payload).verify(publicKey, signature, 'base64');
    return isValid && critical.image['docker-manifest-digest'] === digest;
  }

  it('of the index and of its images is valid in the registry that they are promoted to', async () => {
    const images = ['linux-amd64', 'linux-s390x'].map(
      (tag) => PARITY_IMAGES['oci/app']!.tags[tag]!,
    );
    const source = `${registry.host}/oci/app:1.0`;
    expectCode(await runCli(['create', '--target', source, ...images]), 0);
    const { digest } = await getManifest(registry.host, 'oci/app', '1.0');
    const signed = [digest!, ...images];
    for (const each of signed) await sign('oci/app', each);

    const released = async (repository: string) =>
      Promise.all(signed.map((each) => isSigned(other.host, repository, each)));
    expectCode(await runCli(['copy', source, `${other.host}/without/app:1.0`]), 0);
    expect(await released('without/app')).toEqual([false, false, false]);
    expectCode(await runCli(['copy', '--referrers', source, `${other.host}/released/app:1.0`]), 0);
    expect(await released('released/app')).toEqual([true, true, true]);
  });
});

const TOOLS = path.resolve('.cache/signing-tools/bin');

/** The file of a program in {@link TOOLS} or PATH. */
function found(program: string): string | undefined {
  const folders = [TOOLS, ...process.env['PATH']!.split(path.delimiter)];
  return folders
    .map((folder) => path.join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const cosign = found('cosign');
const notation = found('notation');

describe.runIf(cosign !== undefined && notation !== undefined)('cosign and notation', () => {
  let place: Workplace;
  let other: Registry;

  /** Options for a machine without Sigstore's services, and for registries without TLS. */
  const WRAPPERS = {
    cosign: `case $1 in
  sign | attest) command=$1; shift; exec '${cosign}' "$command" --use-signing-config=false --tlog-upload=false --yes "$@" ;;
  verify*) command=$1; shift; exec '${cosign}' "$command" --insecure-ignore-tlog=true "$@" ;;
  *) exec '${cosign}' "$@" ;;
esac`,
    notation: `case $1 in
  sign | verify) command=$1; shift; exec '${notation}' "$command" --insecure-registry "$@" ;;
  *) exec '${notation}' "$@" ;;
esac`,
  };

  beforeAll(async () => {
    [place, other] = await Promise.all([Workplace.make(), startRegistry()]);
    for (const [name, script] of Object.entries(WRAPPERS)) {
      const file = path.join(place.folder, 'bin', name);
      writeFileSync(file, `#!/bin/sh\nexport COSIGN_PASSWORD=\n${script}\n`);
      chmodSync(file, 0o755);
    }
    for (const architecture of ['amd64', 'arm64'])
      await place.image(`example.com/app:1.0-${architecture}`, architecture);
  });

  afterAll(() => Promise.all([place.stop(), other.stop()]));

  const run = (script: string) =>
    place.run(script.replaceAll('other.example.com', other.host), { shell: ['bash', '-ec'] });

  const page = readFileSync('docs/guides/sign-and-attest.md', 'utf8');
  const [publish, ...steps] = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text]) => text!);

  it('do what the guide says, and verify what copy --referrers has promoted', async () => {
    expectCode(await run(publish!), 0);
    for (const step of steps) expectCode(await run(`. ./published.env\n${step}`), 0);
    expect(steps.join('')).toContain('copy --referrers');
  });

  it('find no signature of a copy without --referrers', async () => {
    const copy = 'manifest-tool copy example.com/app:1.0 other.example.com/bare/app:1.0';
    expectCode(await run(copy), 0);
    const bare =
      '. ./published.env; cosign verify --key cosign.pub "other.example.com/bare/app@$digest"';
    expect((await run(bare)).code).not.toBe(0);
  });

  it('keep to the older form too: signatures under tags', async () => {
    const script = `. ./published.env
      manifest-tool create --target example.com/old:1.0 "$image"
      cosign sign --key cosign.key --new-bundle-format=false --recursive "example.com/old@$digest"
      manifest-tool copy --referrers example.com/old:1.0 other.example.com/released/old:1.0
      for each in "$digest" "$digest_linux_amd64" "$digest_linux_arm64"; do
        cosign verify --key cosign.pub --new-bundle-format=false "other.example.com/released/old@$each"
      done`;
    expectCode(await run(script), 0);
  });
});
