import { createClient, createCredentialStore, type CredentialStore } from 'manifest-tool';

// Docker's and podman's files and helpers, as the command line uses them.
const docker = createCredentialStore({ env: process.env });

const credentials: CredentialStore = {
  async get(host, repository) {
    if (host !== 'localhost:5001' || !repository.startsWith('acme/'))
      return docker.get(host, repository);
    const password = process.env.APP_PASSWORD ?? '';
    return { kind: 'password', username: 'alice', password, source: 'APP_PASSWORD' };
  },
};

await using client = createClient({ credentials });
const { root } = await client.copy({
  source: 'oci-layout://fixtures/layout:linux-amd64',
  target: 'localhost:5001/acme/private:1.0',
});
console.log(root.mediaType);
