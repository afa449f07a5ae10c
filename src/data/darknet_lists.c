#include "data/darknet_lists.h"

#include "base/text_line.h"

#include <stdlib.h>

/* Darknet's list_pop is in no header. */
static void remove_last(list *lines)
{
    node *last = lines->back;
    lines->back = last->prev;
    *(lines->back ? &lines->back->next : &lines->front) = 0;
    --lines->size;
    free(last->val);
    free(last);
}

void strip_list(list *lines)
{
    node *n;
    for (n = lines->front; n; n = n->next) strip_line((char *)n->val);
    while (lines->back && !*(char *)lines->back->val) remove_last(lines);
}
