/* darknet ols show|plot|deploy. */
#ifndef OLS_COMMAND_H
#define OLS_COMMAND_H

/* Runs the command in argv[2]. Returns the exit status. */
int run_ols(int argc, char **argv);

#endif
