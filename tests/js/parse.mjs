// Every file given is a module that node can read; what is wrong with one is printed, with its place.

import { readFileSync } from 'node:fs';
import { SourceTextModule } from 'node:vm';

for (const path of process.argv.slice(2)) new SourceTextModule(readFileSync(path, 'utf8'), { identifier: path });
