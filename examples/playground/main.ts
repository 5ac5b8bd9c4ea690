// The page: what is pressed goes to the worker, what the worker reports is shown.
import { Compiled } from './compiled.ts';
import { Curves } from './curves.ts';
import { Listing } from './listing.ts';
import type { Built, Evaluation, Filters, Progress, Run } from './messages.ts';
import { modelNames, models } from './models/catalog.ts';
import { isolate, keepFiles } from './offline.ts';
import { Pad } from './pad.ts';
import { drawFilters, Matrix, Probabilities, percent, showMistakes, showNetwork } from './pictures.ts';
import { SettingsForm } from './settings.ts';
import { followTheme } from './theme.ts';
import { Trainer } from './trainer.ts';

const $ = <E extends HTMLElement = HTMLElement>(id: string): E => document.getElementById(id) as E;
const button = (id: string) => $<HTMLButtonElement>(id);
const say = (text: string) => {
  if ($('state').textContent !== text) $('state').textContent = text;
};
const show = (id: string, text: string) => {
  $(id).textContent = text;
};

const loss = new Curves(
  $<HTMLCanvasElement>('loss'),
  { range: undefined, logarithmic: true, label: (v) => (v < 1e5 ? String(+v.toPrecision(1)) : v.toExponential(0)) },
  [{ colour: '--one', dots: false }],
);
const accuracy = new Curves(
  $<HTMLCanvasElement>('accuracy'),
  { range: [0, 1], logarithmic: false, label: (v) => percent(v, 0) },
  [
    { colour: '--one', dots: false },
    { colour: '--two', dots: true },
  ],
);
const matrix = new Matrix($<HTMLTableElement>('matrix'), $('confusion-note'));
const probabilities = new Probabilities($('probabilities'));
const listing = new Listing($('listing'), $('now'));

let trains = false;
let step = 0;
let ready = false;
let filters: Filters | undefined;
let drawing = false;
let evaluation: Evaluation | undefined;

const trainer = new Trainer({
  loading: (bytes) => say(`Loading the images: ${(bytes / 1e6).toFixed(1)} MB …`),
  progress: showProgress,
  evaluation: showEvaluation,
  filters: (of) => {
    filters = of;
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      if (filters) drawFilters($<HTMLCanvasElement>('filters'), filters);
    });
  },
  probabilities: showProbabilities,
  running: (run: Run | undefined) => {
    listing.light(run);
    $('network').dataset.run = run ?? '';
  },
  stopped: (why) => {
    setTrains(false);
    say(why);
  },
});

function showProgress(of: Progress): void {
  step = of.step;
  loss.add(0, step, of.loss);
  accuracy.add(0, step, of.accuracy);
  show('n-step', step.toLocaleString('en'));
  show('n-loss', of.loss.toPrecision(3));
  show('n-train', percent(of.accuracy));
  show('n-speed', of.stepsPerSecond.toLocaleString('en', { maximumSignificantDigits: 3 }));
}

function showEvaluation(of: Evaluation): void {
  evaluation = of;
  accuracy.add(1, of.step, of.accuracy);
  show('n-test', percent(of.accuracy, 2));
  matrix.show(of);
  showMistakes($('mistakes'), of);
  if (!trains && !failed && of.step === step)
    say(`${paused()} ${percent(of.accuracy, 2)} of the test images are right.`);
}

function showProbabilities(values: Float32Array | undefined): void {
  const best = probabilities.show(values);
  const text = best < 0 ? '' : `It reads a ${best}.`;
  if ($('answer').textContent !== text) show('answer', text);
}

const paused = () => (step === 0 ? 'Ready.' : `Paused after ${step.toLocaleString('en')} steps.`);

function setTrains(on: boolean): void {
  trains = on;
  button('train').textContent = on ? 'Pause' : 'Train';
  button('train').setAttribute('aria-pressed', String(on));
  if (ready) say(on ? 'Training …' : paused());
}

/** Curves and numbers of what has been built; `fresh`: nothing has been learned. */
function showBuilt(built: Built, fresh: boolean): void {
  step = built.step;
  form.show(built.settings);
  listing.show(built.settings.model);
  showNetwork($('layers'), $('parameters'), built);
  show('backend', `${built.backend}.${crossOriginIsolated ? '' : ' This page is not cross-origin isolated.'}`);
  show('n-step', step.toLocaleString('en'));
  if (!fresh) return;
  loss.clear();
  accuracy.clear();
  for (const id of ['n-loss', 'n-train', 'n-test', 'n-speed']) show(id, '–');
}

/** What went wrong stands there until something else is asked for. */
let failed = false;
/** Does what a button asks for, and says what went wrong. */
function on(id: string, act: () => Promise<unknown>): void {
  $(id).addEventListener('click', () => void attempt(act));
}
async function attempt(act: () => Promise<unknown>): Promise<void> {
  failed = false;
  try {
    await act();
  } catch (error) {
    failed = true;
    setTrains(false);
    say((error as Error).message);
  }
}

let model = modelNames[0];
const form = new SettingsForm(
  $<HTMLFormElement>('settings'),
  crossOriginIsolated ? navigator.hardwareConcurrency : 1,
  (settings) =>
    void attempt(async () => {
      say('Building …');
      const fresh = settings.model !== model;
      if (fresh) setTrains(false);
      if (fresh) await trainer.ask('pause');
      showBuilt(await trainer.ask('build', settings), fresh);
      model = settings.model;
      say(trains ? 'Training …' : paused());
    }),
);

on('train', async () => {
  setTrains(!trains);
  await trainer.ask(trains ? 'train' : 'pause');
});
on('step', async () => {
  setTrains(false);
  await trainer.ask('step');
});
on('reset', async () => {
  setTrains(false);
  showBuilt(await trainer.ask('reset'), true);
  say(paused());
});

on('save', async () => {
  const bytes = await trainer.ask('save');
  const url = URL.createObjectURL(new Blob([bytes]));
  Object.assign(document.createElement('a'), { href: url, download: `${model}-${step}.safetensors` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
});
on('open', async () => $('file').click());
$('file').addEventListener('change', () => {
  const input = $<HTMLInputElement>('file');
  const file = input.files?.[0];
  if (!file) return;
  void attempt(async () => {
    const built = await trainer.ask('restore', new Uint8Array(await file.arrayBuffer()));
    input.value = '';
    setTrains(false);
    model = built.settings.model;
    showBuilt(built, true);
    say(`Loaded ${file.name}: ${models[model].title} after ${step.toLocaleString('en')} steps.`);
  });
});

const pad = new Pad($<HTMLCanvasElement>('pad'), $<HTMLCanvasElement>('seen'), (image) => {
  if (!image) showProbabilities(undefined);
  void attempt(() => trainer.ask('watch', image));
});
on('clear', async () => pad.clear());
on('example', async () => pad.put((await trainer.ask('example')).image));

const compiled = new Compiled($<HTMLDialogElement>('dialog'), (run) => trainer.ask('explain', run));
on('compiled', async () => compiled.open());

followTheme(button('theme'), () => {
  loss.redraw();
  accuracy.redraw();
  pad.redraw();
  if (filters) drawFilters($<HTMLCanvasElement>('filters'), filters);
  if (evaluation) showMistakes($('mistakes'), evaluation);
});

await attempt(async () => {
  await isolate();
  showBuilt(await trainer.ask('build', form.settings), true);
  await trainer.ask('load');
  ready = true;
  for (const id of ['train', 'step', 'reset', 'save', 'open', 'example']) button(id).disabled = false;
  say(paused());
  await keepFiles();
});
