/* Runs another program and reads what it prints. */
#ifndef CHILD_H
#define CHILD_H

#ifdef __cplusplus
extern "C" {
#endif

/* Starts `program` (looked for in PATH; argv ends with NULL) with an empty stdin, waits for it, and hands every line of
 * its stdout and stderr, without the end of line, to `line` (which may be NULL). A carriage return ends a line too.
 * Returns its exit status, 128 + the number of the signal that ended it, or -1 with errno when it could not be started.
 */
int child_run(const char *program, char *const argv[], void (*line)(void *context, char *text), void *context);

#ifdef __cplusplus
}
#endif
#endif
