/* What Darknet reads from a cfg or a .data file as numbers. It took them with atoi and atof, to which 8x is 8, and a
 * word 0. Here a value that is no number ends the program with one line that names file, line, section and key. Hooks
 * in option_list.c and parser.c. */
#ifndef OPTION_VALUE_H
#define OPTION_VALUE_H

#include "base/text_line.h" /* strip_cfg_line */

#include "darknet.h"

/* Notes where a list of options stands: the line of a cfg that begins its section, or 0 for a whole .data file. Strings
 * are copied. */
void note_options(list *options, const char *file, int line);

/* Forgets where the sections of a cfg stand. Called when a network has been made of it, and Darknet has freed its
 * lists. */
void forget_cfg_options(void);

/* The value of a key as a number. Where the key has several numbers (`anchors`, `steps`, ...), option_text looks at
 * each of them, and returns the value without the comment behind it; all others as they are. */
int option_int(list *options, const char *key, const char *value);
float option_float(list *options, const char *key, const char *value);
char *option_text(list *options, const char *key, char *value);

/* The value of a key that a section must have, and the number of a layer that a section names, -1 being the one before
 * it; `index` is that of the section. End the program where there is no such key or layer. */
char *needed_option(list *options, const char *key, const char *section, int index);
int earlier_layer(int number, const char *section, int index);

/* groups= of a [convolutional]. Ends the program where it does not divide the channels of its input and its filters:
 * Darknet then read and wrote beyond its memory. */
int groups_of(list *options, int groups, int channels, int filters);

/* Ends the program: there is no layer of this name, "[olss]"; its options are noted. */
void refuse_section(const list *options, const char *section);

/* Ends the program: a line has a key without a value, of which Darknet went on with the default. */
void refuse_without_value(const char *file, int line, const char *key);

#endif
