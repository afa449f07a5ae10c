#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* on_exit */
#endif
#include "commands/exit_status.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* 1 once the status given to exit() is the intended one. */
static int expected;

static void correct_status(int status, void *unused)
{
    (void)unused;
    if (expected) return;
    fflush(0);
    _exit(status ? status : 1);
}

/* Makes exit(0) inside Darknet end with status 1: Darknet calls it if it cannot load an image (src/image.c, which is
 * not patched). Darknet also calls exit() in loader threads while other threads work. Then the destructors of libraries
 * must not run, because they would free memory that these threads use. */
void guard_exit_status(void)
{
    on_exit(correct_status, 0);
}

void expect_end(void)
{
    expected = 1;
}

void leave(int status)
{
    expected = 1;
    if (!status && (fflush(stdout) || ferror(stdout))) status = report_error("cannot write all that is printed");
    exit(status);
}
