/**
 * Processor time that `work` takes in this process, in milliseconds. Unlike the time on the wall it does not grow when other processes
 * keep the cores busy.
 */
export async function cpuTimeOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
