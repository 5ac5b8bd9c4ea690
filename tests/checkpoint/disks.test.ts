// Disks that take no more: a full one and a read-only one, mounted for the child process alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { built } from '../built.ts';
import { mountsMissing } from '../mounts.ts';
import { describeUnless } from '../skipped.ts';

/** Saves a megabyte five times, and prints what each save said and which checkpoint is found then. */
const program = `
const [, millrace, folder] = process.argv;
const tf = await import(millrace);
const sess = new tf.InteractiveSession({ backend: 'wasm' });
const v = tf.variable(tf.randomNormal([250_000]), { name: 'v' });
await sess.run(tf.initializeAllVariables());
const saver = new tf.train.Saver();
const said = [];
for (let globalStep = 1; globalStep <= 5; globalStep++) {
  const saved = await saver.save(sess, folder + '/m', { globalStep }).catch((error) => error.name + ': ' + error.message);
  said.push([saved, await tf.train.latestCheckpoint(folder)]);
}
const latest = said.at(-1)[1];
const before = await v.eval();
if (latest) await saver.restore(sess, latest);
said.push((await v.eval()).data.every((x, i) => x === before.data[i]));
console.log(JSON.stringify(said));
process.exit();
`;

describeUnless(mountsMissing, 'a disk that takes no more', () => {
  let folder: string;
  beforeAll(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'millrace-disks-')), 'disk');
    mkdirSync(folder);
  });
  afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

  const saves = (options: string): unknown[] => {
    const script = `mount -t tmpfs -o ${options} none "$1" && exec "$2" --input-type=module -e "$3" "$4" "$1"`;
    const child = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', folder, process.execPath, program, built],
      {
        encoding: 'utf8',
      },
    );
    expect(child.stderr).toBe('');
    return JSON.parse(child.stdout);
  };
  const file = (step: number) => join(folder, `m-${step}.safetensors`);

  test('full: saves fail by name, those that are there stay, and the newest of them is restored', () => {
    const full = (step: number) =>
      `DataError: ${file(step)} could not be written: the disk is full (ENOSPC). Nothing has changed; what was there before is whole.`;
    expect(saves('size=3m')).toEqual([
      ...[1, 2, 3].map((step) => [file(step), file(step)]),
      ...[4, 5].map((step) => [full(step), file(3)]),
      true,
    ]);
  });

  test('read-only: saves fail by name, and nothing is found', () => {
    const refused = (step: number) => [
      `DataError: ${file(step)} could not be written: the file system is read-only (EROFS). Nothing has changed; what was there before is whole.`,
      null,
    ];
    expect(saves('ro')).toEqual([...[1, 2, 3, 4, 5].map(refused), true]);
  });
});
