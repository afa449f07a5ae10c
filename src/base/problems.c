#include "base/problems.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int add_problem(problems *list, const char *format, ...)
{
    va_list arguments;
    char *line;
    int length;
    ++list->count;
    if (list->kept == MOST_PROBLEM_LINES) return 1;
    va_start(arguments, format);
    length = vsnprintf(0, 0, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    line = (char *)xcalloc((size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(line, (size_t)length + 1, format, arguments);
    va_end(arguments);
    list->lines[list->kept++] = line;
    return 1;
}

int add_printed_problem(problems *list)
{
    ++list->printed;
    ++list->count;
    return 1;
}

void drop_problems(problems *list)
{
    size_t i;
    for (i = 0; i < list->kept; ++i) free(list->lines[i]);
    memset(list, 0, sizeof *list);
}

int end_problems(problems *list)
{
    const size_t shown = list->kept + list->printed, count = list->count;
    size_t i;
    for (i = 0; i < list->kept; ++i) report_error("%s", list->lines[i]);
    if (count > shown) report_error("and %zu more problems", count - shown);
    drop_problems(list);
    return count > 0;
}
