"""TAP output for the tests in Python; the name of a test is a sentence. Call ok, same, skip, and finish at the end."""

import sys

count = failed = 0


def ok(passed, name, why=""):
    global count, failed
    count, failed = count + 1, failed + (not passed)
    print(("ok" if passed else "not ok"), count, "-", name)
    if not passed and why != "":
        print("".join(f"# {line}\n" for line in str(why).splitlines()), end="")


def same(got, want, name):
    ok(got == want, name, f"got  {got!r}\nwant {want!r}")


def skip(name, reason):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {reason}")


def finish():
    """Prints the plan and exits with status 1 if a test has failed."""
    print(f"1..{count}")
    sys.exit(failed > 0)
