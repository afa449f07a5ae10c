/* darknet check <data> [cfg]: looks at everything that a training would read, without training. */
#ifndef CHECK_H
#define CHECK_H

/* Returns the exit status. */
int run_check(int argc, char **argv);

#endif
