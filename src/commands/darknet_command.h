/* Reads the command line of a command of Darknet before Darknet does, which takes what it does not know for a file, a
 * missing file for none and a word for the number 0. */
#ifndef DARKNET_COMMAND_H
#define DARKNET_COMMAND_H

#include "commands/command_table.h"

/* Checks argv against the row of the table; an error ends the program with one line. Applies and removes the options
 * that are the plugin's, and puts those that Darknet reads behind all words, because it reads these by position. NULLs
 * follow them. */
void read_darknet_command(const command_row *row, int argc, char **argv);

#endif
