// Modules are called as they are imported, and documents by their heading.
import { readFileSync } from 'node:fs';
import { Converter } from 'typedoc';

const names = { index: 'millrace', 'data/mnist': 'millrace/mnist', 'checkpoint/numpy': 'millrace/numpy' };

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = names[module.name] ?? module.name;
    for (const document of project.documents ?? []) {
      const file = project.files.getReflectionPath(document);
      document.name = /^# (.*)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? document.name;
    }
  });
}
