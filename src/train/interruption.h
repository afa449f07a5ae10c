/* Ctrl-C and the SIGTERM of a batch system end a training after the iteration that is running, not in the middle of it.
 */
#ifndef INTERRUPTION_H
#define INTERRUPTION_H

/* From now on the first SIGINT or SIGTERM is only remembered, and a second one ends the program at once. A signal that
 * the program was started to ignore, as by nohup, stays ignored. */
void interruption_begin(void);

/* The signal that came, or 0. */
int interruption(void);

#endif
