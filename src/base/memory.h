/* Memory that is there, or the end of the program with one line: for the many small arrays whose absence nobody could
 * do anything about. What can be as large as the user's data (soft labels of many classes) is asked for with the plain
 * functions, and its absence reported with the size.
 *
 * The names are those that the field uses for such wrappers (git, gcc). What they return is freed with free(). */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t bytes);
char *xstrdup(const char *text);

/* A growing array: room for one more item of `size` bytes beside `count` ones. Returns the array, which may have moved;
 * *capacity is how many items there is room for. Starts from a NULL array with a capacity of 0. */
void *grow_array(void *items, size_t count, size_t *capacity, size_t size);

#endif
