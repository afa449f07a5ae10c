#!/usr/bin/python3
"""Every fuzz target takes the seeds and the kept inputs (tests/fuzz); `make fuzz` looks for new ones."""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "helpers"), os.path.join(ROOT, "tests", "fuzz")]
import fuzz_inputs  # noqa: E402
from tap import finish, ok, same  # noqa: E402

# The targets are beside the program under test: a sanitized build has its own.
PROGRAM = os.path.realpath(os.environ.get("DARKNET_PROGRAM", os.path.join(ROOT, "darknet")))
TARGETS = os.path.join(os.path.dirname(PROGRAM), "fuzz")

same(sorted(fuzz_inputs.SEEDS), fuzz_inputs.target_names(), "every target has seeds")
with tempfile.TemporaryDirectory() as folder:
    for target in fuzz_inputs.target_names():
        paths = fuzz_inputs.write_inputs(target, os.path.join(folder, target))
        # Undefined behaviour in our code ends a program in any case; Darknet multiplies what a damaged file holds.
        environment = dict(os.environ, TMPDIR=folder, OMP_NUM_THREADS="1", UBSAN_OPTIONS="halt_on_error=0",
                           ASAN_OPTIONS=fuzz_inputs.sanitizer_options(target))
        try:
            done = subprocess.run([os.path.join(TARGETS, target)] + paths, env=environment, capture_output=True, timeout=60)
            said = done.stderr.decode(errors="replace")[-2000:] + f"\nstatus {done.returncode}"
            passed = done.returncode == 0 and done.stdout.split()[-1:] == [str(len(paths)).encode()]
        except (OSError, subprocess.TimeoutExpired) as error:
            passed, said = False, str(error)
        ok(passed, f"{target}: {len(paths)} inputs", said)
    left = [name for name in os.listdir(folder) if name not in fuzz_inputs.SEEDS]
    ok(not left, "targets leave no files behind", left)
finish()
