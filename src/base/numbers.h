/* Parses numbers in command lines, cfg files and .data files, and writes them as people do. */
#ifndef NUMBERS_H
#define NUMBERS_H

/* Parses all of `text` as one decimal number. Returns 0 and sets *value if it is in [low, high]; otherwise returns -1
 * and leaves *value unchanged. Hexadecimal numbers, infinity, NaN and leading white space, which strtod accepts, are
 * errors. */
int parse_number(const char *text, double low, double high, double *value);

/* The same for a whole number: digits with an optional minus sign. */
int parse_whole_number(const char *text, long long low, long long high, long long *value);

enum { DECIMAL_TEXT = 352 }; /* bytes that hold any double without an exponent, up to 17 decimals */

/* Writes a finite number to `text` (DECIMAL_TEXT bytes) with the fewest decimals, `least` to 17, from which it is read
 * as the same number: 0.25 and, with two as the least, 0.50. Returns `text`. */
char *format_decimal(double value, int least, char *text);

/* The text of a number without the zero before its point, as options are written: .25. */
const char *skip_leading_zero(const char *text);

#endif
