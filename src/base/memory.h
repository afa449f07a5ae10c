/* Allocation functions that end the program with one line when memory runs out, so that callers need no check. They are
 * for small arrays. Memory that grows with the user's data (the soft labels of many classes) is allocated with the
 * plain functions, so that the error message can tell its size.
 *
 * The names are the usual ones for such wrappers (git, gcc). Results are freed with free().
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *block, size_t bytes);
char *xstrdup(const char *text);

/* Makes room for one more item of `size` bytes after the first `count` items. Returns the array, which may have moved;
 * *capacity is the number of items that it has room for. Begin with a NULL array and a capacity of 0. */
void *grow_array(void *items, size_t count, size_t *capacity, size_t size);

#endif
