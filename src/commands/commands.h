/* The commands and options that the plugin adds to darknet's main(). */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Call first in main(), before a GPU is chosen. Answers --version and --help; ends the program with one line where the
 * command line is wrong; removes from argv those options of Darknet's commands that Darknet does not know, and applies
 * them; runs `darknet ols ...` and then ends the program. */
void commands_begin(int argc, char **argv);

/* Call after the GPU is chosen. If argv names a command of the plugin, such as `detector map`, runs it and ends the
 * program with its status; otherwise returns how many arguments are left: NULLs are at the end of argv where options
 * have been removed, and Darknet would count them. */
int commands_run(int argc, char **argv);

/* Call at the end of main(). Without this call, exit(0) anywhere in Darknet becomes status 1. */
void commands_end(void);

#endif
