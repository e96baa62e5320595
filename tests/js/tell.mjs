// Entries of a timeline on stdin; what a reader sees of each, in English, on stdout. Bubbles are in brackets.

import { readFileSync } from 'node:fs';

import { form, line, look, title, way } from '../../aircall_core/ui/static/story.js';
import { words } from './stage.mjs';

const TEXT = words();
const t = (key, values = {}) => TEXT[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function told(entry) {
  switch (form(entry)) {
    case 'call':
      return `[${t(title(entry.call))}: ${look(entry.call)}]`;
    case 'flow':
      return way(entry.call).path.join(' › ');
    case 'log': {
      const [key, values, fallback] = line(entry);
      return t(TEXT[key] ? key : fallback, values);
    }
    default:
      return null;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0)).map(told).filter(Boolean)));
