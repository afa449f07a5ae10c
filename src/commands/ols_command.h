/* darknet ols show|plot|deploy. */
#ifndef OLS_COMMAND_H
#define OLS_COMMAND_H

/* Each reads its command line, as main() has it, and returns the exit status. */
int ols_show(int argc, char **argv);
int ols_plot(int argc, char **argv);
int ols_deploy(int argc, char **argv);

#endif
