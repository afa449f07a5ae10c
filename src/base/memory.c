/* Allocation that ends the program when memory runs out, and growing arrays. */
#include "base/memory.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* malloc(0) may return NULL, which is no error. */
static void *checked(void *block, size_t bytes)
{
    if (!block && bytes) die("out of memory: %zu bytes are not to be had", bytes);
    return block;
}

void *xmalloc(size_t bytes)
{
    return checked(malloc(bytes), bytes);
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count, size), count && size ? count * size : 0);
}

void *xrealloc(void *block, size_t bytes)
{
    return checked(realloc(block, bytes), bytes);
}

char *xstrdup(const char *text)
{
    const size_t size = strlen(text) + 1;
    return (char *)memcpy(xmalloc(size), text, size);
}

void *grow_array(void *items, size_t count, size_t *capacity, size_t size)
{
    enum { FIRST = 16 };
    if (count < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : FIRST;
    return xrealloc(items, *capacity * size);
}
