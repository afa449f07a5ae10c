/* Collects what is wrong with a user's files, so that one run tells all of it: the first lines are kept, the others
 * counted. Each line begins with file:line where there is one, and says what to do.
 *
 *     problems list = {0};
 *     add_problem(&list, "%s:%d: empty line: remove it", path, line);
 *     if (end_problems(&list)) return 1;
 */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include "base/error.h"

#include <stddef.h>

enum { MOST_PROBLEM_LINES = 20 };

/* Initialize it with zeros. The lines are owned. */
typedef struct {
    char *lines[MOST_PROBLEM_LINES];
    size_t kept;    /* lines */
    size_t printed; /* problems that were printed when they were found */
    size_t count;   /* of all problems */
} problems;

/* Adds a problem; the format is that of report_error. Returns 1. */
int add_problem(problems *list, const char *format, ...) PRINTF_FORMAT(2, 3);

/* Counts a problem for which a function that ends with `return report_error(...)` has printed a line. Returns 1. */
int add_printed_problem(problems *list);

/* Prints the lines, and how many more problems there are; frees them and sets the count to 0. Returns 1 if there was a
 * problem, otherwise 0. */
int end_problems(problems *list);

/* Forgets all problems. */
void drop_problems(problems *list);

#endif
