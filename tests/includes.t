#!/usr/bin/python3
"""Which folder of src/ includes which: tests/includes.txt is the table of what is allowed. Every include names its
folder, so that the test only has to read these lines. Also: every header compiles on its own."""

import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "helpers"))
from tap import finish, ok, same  # noqa: E402

SRC, TABLE = os.path.join(ROOT, "src"), os.path.join(ROOT, "tests", "includes.txt")
DARKNET = [os.path.join(ROOT, "build", "darknet", folder) for folder in ("include", "src")]
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
CXX_SOURCES = (".cu", ".cuh", ".cpp")


def read(path):
    with open(path) as file:
        return file.read()


def includes(path):
    """[(line number, '"' or '<', name)]"""
    text = read(path)
    return [(text.count("\n", 0, found.start(2)) + 1, *found.groups()) for found in INCLUDE.finditer(text)]


def read_table(text):
    """{folder: the folders that it may include}. A folder knows only those above it, so that there are no circles."""
    table = {}
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line:
            folder, colon, allowed = line.partition(":")
            unknown = set(allowed.split()) - set(table) - {"darknet"}
            assert colon and folder not in table and not unknown, f"includes.txt: {line}"
            table[folder] = set(allowed.split())
    return table


def problems(src, table):
    """What the files below `src` include against the table, a line each."""
    darknet = {name for folder in DARKNET for name in os.listdir(folder)}
    found = []
    for folder, _, names in sorted(os.walk(src)):
        room = os.path.relpath(folder, src)
        if names and room not in table:
            found.append(f"src/{room} is no folder of includes.txt")
            continue
        for name in sorted(names):
            for line, quote, header in includes(os.path.join(folder, name)):
                other = os.path.dirname(header)
                if other in table:
                    wrong = other != room and other not in table[room] and f"{room} may not include {other}"
                    wrong = wrong or not os.path.isfile(os.path.join(src, header)) and "there is no such header"
                elif header in darknet:
                    wrong = "darknet" not in table[room] and f"{room} may not include Darknet's headers"
                else:  # the system's, then
                    wrong = quote == '"' and "neither a header of src/ with its folder nor one of Darknet's"
                if wrong:
                    found.append(f"src/{room}/{name}:{line}: {header}: {wrong}")
    return found + [f"includes.txt: there is no src/{room}" for room in table
                    if not os.path.isdir(os.path.join(src, room))]


def cxx_headers():
    """The headers of src/ that C++ reads: those in .cu and .cpp files, ours and Darknet's, and what these include."""
    files = glob.glob(SRC + "/**/*", recursive=True) + glob.glob(DARKNET[1] + "/*")
    todo, headers = [path for path in files if path.endswith(CXX_SOURCES)], set()
    while todo:
        for _, _, header in includes(todo.pop()):
            path = os.path.join(SRC, header)
            if path.endswith(".h") and os.path.isfile(path) and path not in headers:
                headers.add(path)
                todo.append(path)
    return headers


def compile_alone(language, header):
    """What the compiler says of a header."""
    command = {"c": ["gcc", "-std=gnu99"], "c++": ["g++"]}[language]
    folders = ["-I" + SRC, "-isystem", DARKNET[0], "-isystem", DARKNET[1]]
    said = subprocess.run([*command, "-fsyntax-only", "-Wall", "-Wextra", *folders, "-include", header, "-x", language,
                           "/dev/null"], capture_output=True, text=True)
    return "".join(line + "\n" for line in said.stderr.splitlines() if re.search("(error|warning): ", line))


def compile_all(language, headers):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(lambda header: compile_alone(language, header), sorted(headers)))


# ---- The source ------------------------------------------------------------------------------------------------------

table = read_table(read(TABLE))
found = problems(SRC, table)
ok(not found, "every folder of src/ includes only what includes.txt allows it", "\n".join(found))

# ---- The test itself: trees with one thing wrong ---------------------------------------------------------------------

SOUND = {"base/error.h": "#include <stdio.h>\n", "ols/ols.h": '#include "base/error.h"\n',
         "layers/head.c": '#include "ols/ols.h"\n#include "darknet.h"\n#include <stdlib.h>\n'}
SMALL = "base:\nols: base\nlayers: base ols darknet\n"


def judged(files, text=SMALL):
    with tempfile.TemporaryDirectory() as tmp:
        for path, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(tmp, path)), exist_ok=True)
            with open(os.path.join(tmp, path), "w") as file:
                file.write(content)
        return problems(tmp, read_table(text))


same(judged(SOUND), [], "a sound tree has no problems")
same(judged({**SOUND, "ols/loss.c": '\n#include "layers/head.h"\n', "layers/head.h": ""}),
     ["src/ols/loss.c:2: layers/head.h: ols may not include layers"], "an include that is not allowed is found")
same(judged({**SOUND, "base/memory.c": '#include "darknet.h"\n', "base/list.c": "  #  include <list.h>\n"}),
     ["src/base/list.c:1: list.h: base may not include Darknet's headers",
      "src/base/memory.c:1: darknet.h: base may not include Darknet's headers"],
     "so is a header of Darknet's in src/base")
same(judged({**SOUND, "misc/some.c": ""}), ["src/misc is no folder of includes.txt"], "so is a folder that it lacks")
same(judged({**SOUND, "loose.c": ""}), ["src/. is no folder of includes.txt"], "so is a file beside the folders")
same(judged({**SOUND, "ols/loss.c": '#include "ols.h"\n#include "base/gone.h"\n'}),
     ["src/ols/loss.c:1: ols.h: neither a header of src/ with its folder nor one of Darknet's",
      "src/ols/loss.c:2: base/gone.h: there is no such header"], "so are includes without their folder and of no file")
same(judged(SOUND, SMALL + "eval: layers\n"), ["includes.txt: there is no src/eval"], "so is a folder that has gone")
try:
    read_table("train: eval\neval: train\n")
    ok(False, "a table with a circle is refused")
except AssertionError as refusal:
    same(str(refusal), "includes.txt: train: eval", "a table with a circle is refused")

# ---- Headers ---------------------------------------------------------------------------------------------------------

headers, cxx = set(glob.glob(SRC + "/**/*.h", recursive=True)), cxx_headers()
promised = {header for header in headers if "__cplusplus" in read(header)}
ok(cxx, "C++ reads some headers")
ok(cxx <= promised, 'the headers that C++ reads have extern "C"', "\n".join(sorted(cxx - promised)))
for language, chosen, name in (("c", headers, "every header compiles on its own"),
                               ("c++", cxx | promised, "as C++ those that C++ reads do")):
    said = compile_all(language, chosen)
    ok(not said, name, said)
finish()
