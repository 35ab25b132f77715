import { createClient } from 'manifest-tool';

const repositories = ['acme/app', 'acme/missing'];

await using client = createClient();
const promotions = await Promise.allSettled(
  repositories.map((repository) =>
    client.copyTags({
      source: `localhost:5000/${repository}`,
      targets: [`localhost:5000/production/${repository}`],
      match: '{latest,1.*}',
      referrers: true,
    }),
  ),
);
for (const [index, promotion] of promotions.entries()) {
  const repository = repositories[index];
  if (promotion.status === 'rejected') console.log(repository, promotion.reason.code);
  else for (const { target, status } of promotion.value) console.log(repository, target, status);
}
