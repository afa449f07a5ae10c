/* Parses numbers in command lines, cfg files and .data files. */
#ifndef NUMBERS_H
#define NUMBERS_H

/* Parses all of `text` as one decimal number. Returns 0 and sets *value if it is in [low, high]; otherwise returns -1
 * and leaves *value unchanged. Hexadecimal numbers, infinity, NaN and leading white space, which strtod accepts, are
 * errors. */
int parse_number(const char *text, double low, double high, double *value);

/* The same for a whole number: digits with an optional minus sign. */
int parse_whole_number(const char *text, long long low, long long high, long long *value);

#endif
