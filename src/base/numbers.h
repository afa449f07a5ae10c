/* Numbers from text: command lines, cfg and data files. */
#ifndef NUMBERS_H
#define NUMBERS_H

/* Returns 0, and puts the number into *value, when all of `text` is one decimal number in [low, high]; -1 otherwise,
 * and *value stays. What strtod takes beside that (hexadecimal, the names of infinity and of NaN, white space in front)
 * is no number here. */
int parse_number(const char *text, double low, double high, double *value);

/* The same for a whole number, written with digits alone and perhaps a minus sign. */
int parse_whole_number(const char *text, long long low, long long high, long long *value);

#endif
