/* Parses numbers strictly: all of the text, and in a range. */
#include "base/numbers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int parse_number(const char *text, double low, double high, double *value)
{
    char *end;
    double number;
    if (!*text || text[strspn(text, "0123456789.eE+-")]) return -1;
    errno = 0;
    number = strtod(text, &end);
    /* ERANGE can also be an underflow; its result, close to 0, is accepted */
    if (*end || end == text || (errno == ERANGE && fabs(number) > 1)) return -1;
    if (!(number >= low && number <= high)) return -1;
    *value = number;
    return 0;
}

int parse_whole_number(const char *text, long long low, long long high, long long *value)
{
    const char *digits = text + (*text == '-');
    long long number;
    if (!*digits || digits[strspn(digits, "0123456789")]) return -1;
    errno = 0;
    number = strtoll(text, 0, 10);
    if (errno || number < low || number > high) return -1;
    *value = number;
    return 0;
}
