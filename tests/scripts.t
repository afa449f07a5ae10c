#!/usr/bin/python3
"""What no script may have, whatever it does: names that are defined nowhere, which Python notices only when it comes to
them, and bash that cannot be parsed."""

import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "helpers"))
from tap import finish, ok, skip  # noqa: E402

BREAKS = re.compile(r"undefined name|referenced before assignment|syntax|unexpected")


def first_line(path):
    with open(path, "rb") as file:
        return file.readline()


files = [path for folder in ("scripts", "scripts/studies", "python", "tests", "tests/*", ".ci", "packaging")
         for path in sorted(glob.glob(os.path.join(ROOT, folder, "*"))) if os.path.isfile(path)]
python = [path for path in files if path.endswith(".py") or first_line(path).rstrip().endswith(b"python3")]
bash = [path for path in files if path.endswith(".sh") or first_line(path).rstrip().endswith(b"bash")]

ok(len(python) > 20 and len(bash) > 20, "there are scripts of both languages", f"{len(python)}, {len(bash)}")
if shutil.which("pyflakes3"):
    done = subprocess.run(["pyflakes3"] + python, capture_output=True, text=True)
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if BREAKS.search(line)]
    ok(not wrong, "every name in a Python script is defined", "\n".join(wrong))
else:
    skip("every name in a Python script is defined", "no pyflakes3 here")
wrong = [path for path in bash if subprocess.run(["bash", "-n", path], capture_output=True).returncode]
ok(not wrong, "bash can parse every bash script", "\n".join(wrong))
finish()
