import { afterEach, beforeEach } from 'vitest';
import { createClient, type Client } from '../../src/core/client.js';
import { LayoutFolder } from './layout.js';

/** An empty layout and a client, both new for each test of the file that calls this. */
export function useLayoutClient(): { readonly folder: LayoutFolder; readonly client: Client } {
  let folder: LayoutFolder;
  let client: Client;
  beforeEach(async () => {
    folder = await LayoutFolder.make();
    client = createClient();
  });
  afterEach(async () => {
    await client.close();
    await folder.remove();
  });
  return {
    get folder() {
      return folder;
    },
    get client() {
      return client;
    },
  };
}
