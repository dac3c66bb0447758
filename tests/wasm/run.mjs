// Run a Python module in pyodide: node run.mjs PYODIDE SITE ROOT -m MODULE [its arguments]
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

const [self, pyodide, site, root, , module, ...rest] = process.argv.slice(1);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const env = {
  HOME: "/home/pyodide", PYTHONPATH: "/checkout:/checkout/tests", PYTHONDONTWRITEBYTECODE: "1",
  PYTHONHASHSEED: process.env.PYTHONHASHSEED ?? "0", CI: "1", HYPOTHESIS_STORAGE_DIRECTORY: "/tmp/hypothesis",
};
const python = await loadPyodide({ env });
const packages = python.runPython("import site; site.getsitepackages()[0]");
for (const [here, there] of [["/checkout", root], [packages, site]]) {
  python.FS.mkdirTree(here);
  python.mountNodeFS(here, there);
}
for (const [set, stream] of [[python.setStdout, process.stdout], [python.setStderr, process.stderr]])
  set.call(python, { write: (bytes) => (stream.write(Buffer.from(bytes)), bytes.length) });
// There are no processes: what must be asked of another Python is asked of another node.
globalThis.run_module = (seed, name) => {
  const call = [...process.execArgv, self, pyodide, site, root, "-m", name];
  const done = spawnSync(process.execPath, call, {
    env: { ...process.env, PYTHONHASHSEED: seed }, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28,
  });
  return done.status === 0 ? done.stdout.toString() : null;
};
python.globals.set("ARGV", [module, ...rest]);
process.exitCode = python.runPython(`
import os, runpy, sys
os.chdir("/checkout")
sys.path_importer_cache.clear()  # the folders were not there when Python started
sys.argv = list(ARGV)
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    code = 0
except SystemExit as end:
    code = int(end.code or 0)
sys.stdout.flush()
code
`);
