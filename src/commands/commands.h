/* The commands and options that the plugin adds to darknet's main(). */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Before a GPU is asked for: answers --version and --help, takes the options of `classifier train` and `detector train`
 * that Darknet does not know out of argv and applies them, and runs `darknet ols ...`, which never returns. */
void commands_begin(int argc, char **argv);

/* After the GPU was chosen: runs a command of the plugin's, such as `detector map`, and ends the program with its
 * status. Returns when the command is not the plugin's. */
void commands_run(int argc, char **argv);

/* At the end of main(). Until then exit(0) inside Darknet means that something failed, and becomes status 1. */
void commands_end(void);

/* Ends the program with this status, 0 too. */
void commands_leave(int status) __attribute__((noreturn));

/* darknet ols show|plot|deploy. Returns the exit status. */
int run_ols(int argc, char **argv);

#endif
