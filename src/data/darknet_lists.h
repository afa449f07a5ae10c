/* What is added to Darknet's reading of lists. */
#ifndef DARKNET_LISTS_H
#define DARKNET_LISTS_H

#include "darknet.h"

/* Hook in get_paths: takes blanks from the ends of the lines, and removes and frees empty lines at the end, which would
 * be images without a name. lists.h reads files in the same way. */
void strip_list(list *lines);

#endif
