/* The commands and options that the plugin adds to darknet's main(). */
#ifndef COMMANDS_H
#define COMMANDS_H

/* Call first in main(), before a GPU is chosen. Answers --version and --help; removes from argv those options of
 * `classifier train` and `detector train` that Darknet does not know, and applies them; runs `darknet ols ...` and then
 * ends the program. */
void commands_begin(int argc, char **argv);

/* Call after the GPU is chosen. If argv names a command of the plugin, such as `detector map`, runs it and ends the
 * program with its status; otherwise returns. */
void commands_run(int argc, char **argv);

/* Call at the end of main(). Without this call, exit(0) anywhere in Darknet becomes status 1. */
void commands_end(void);

#endif
