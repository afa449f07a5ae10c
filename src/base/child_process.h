/* Runs another program and reads what it prints. */
#ifndef CHILD_PROCESS_H
#define CHILD_PROCESS_H

/* Starts `program` (looked for in PATH; argv ends with NULL), waits for it, and hands every line of its stdout and
 * stderr, without the end of line, to `line` (which may be NULL). A carriage return ends a line too. The program reads
 * the file descriptor `input` as its stdin; -1: an empty one. Returns its exit status, 128 + the number of the signal
 * that ended it, or -1 with errno when it could not be started. */
int child_run(const char *program, char *const argv[], int input, void (*line)(void *context, char *text),
              void *context);

#endif
