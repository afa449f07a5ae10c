/* Runs another program and reads its output. */
#ifndef CHILD_PROCESS_H
#define CHILD_PROCESS_H

/* Runs `program` (looked for in PATH; argv ends with NULL) and waits until it ends. Calls line(context, text) for every
 * non-empty line of its stdout and stderr, without the line end. A carriage return ends a line too, and a line of more
 * than 4096 bytes comes in parts. `line` may be NULL. The program reads its stdin from the file descriptor `input`, or
 * from /dev/null if `input` is -1. Returns the exit status, 128 + the signal number if a signal ended the program, or
 * -1 with errno set if it could not be started. */
int child_run(const char *program, char *const argv[], int input, void (*line)(void *context, char *text),
              void *context);

#endif
