/* Parses numbers strictly: all of the text, and in a range. Writes them with no more decimals than they need. */
#include "base/numbers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
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

char *format_decimal(double value, int least, char *text)
{
    int decimals;
    for (decimals = least; decimals <= 17; ++decimals) {
        snprintf(text, DECIMAL_TEXT, "%.*f", decimals, value);
        if (strtod(text, 0) == value) break;
    }
    return text;
}

const char *skip_leading_zero(const char *text)
{
    return text[0] == '0' && text[1] == '.' ? text + 1 : text;
}
