#include "base/nearest_name.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 255 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int letter(const char *text, int i)
{
    return tolower((unsigned char)text[i]);
}

static int length_of(const char *text)
{
    return (int)strnlen(text, LONGEST);
}

int edit_distance(const char *a, const char *b)
{
    /* Row i has the distances of the first i letters of `a` to all beginnings of `b`; three rows are enough. */
    unsigned short rows[3][LONGEST + 1];
    const int m = length_of(a), n = length_of(b);
    int i, j;
    for (j = 0; j <= n; ++j) rows[0][j] = (unsigned short)j;
    for (i = 1; i <= m; ++i) {
        const unsigned short *before = rows[(i - 1) % 3], *before_that = rows[(i + 1) % 3];
        unsigned short *row = rows[i % 3];
        row[0] = (unsigned short)i;
        for (j = 1; j <= n; ++j) {
            int distance = before[j - 1] + (letter(a, i - 1) != letter(b, j - 1));
            distance = least(distance, least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && letter(a, i - 1) == letter(b, j - 2) && letter(a, i - 2) == letter(b, j - 1))
                distance = least(distance, before_that[j - 2] + 1);
            row[j] = (unsigned short)distance;
        }
    }
    return rows[m % 3][n];
}

static int most_mistakes(const char *typed)
{
    const int letters = length_of(typed);
    return letters < 3 ? -1 : letters < 6 ? 1 : 2;
}

int is_mistyped(const char *typed, const char *name)
{
    return strcmp(typed, name) && edit_distance(typed, name) <= most_mistakes(typed);
}

const char *nearest_name(const char *typed, const char *const *names, int count)
{
    const char *nearest = 0;
    int i, shortest = LONGEST + 1;
    for (i = 0; i < count; ++i) {
        const int distance = edit_distance(typed, names[i]);
        if (!is_mistyped(typed, names[i]) || distance >= shortest) continue;
        shortest = distance;
        nearest = names[i];
    }
    return nearest;
}
