/* Ctrl-C, the SIGTERM of a batch system and the SIGHUP of a terminal or an ssh that has gone end a training after the
 * iteration that is running, not in the middle of it. */
#ifndef INTERRUPTION_H
#define INTERRUPTION_H

/* From now on the first SIGINT, SIGTERM or SIGHUP is only remembered, and a second one ends the program at once; but a
 * second SIGHUP does not, as the kernel and the shell often send one each. A signal that
 * the program was started to ignore, as by nohup, stays ignored. */
void interruption_begin(void);

/* The signal that came, or 0. */
int interruption(void);

#endif
