#!/usr/bin/env node
// The `tapir` command. In a fresh clone it builds first; in an installed package dist/ is there.
import { existsSync } from "node:fs";

const program = new URL("../dist/cli.js", import.meta.url);
const prepare = new URL("../scripts/prepare.js", import.meta.url);
if (!existsSync(program) && existsSync(prepare)) await import(prepare.href);
await import(program.href);
