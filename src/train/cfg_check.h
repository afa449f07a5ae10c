/* Looks at the lines of a cfg that a training depends on, before a network is made of them: sizes of batches, the
 * schedule, and what the last layers are. */
#ifndef CFG_CHECK_H
#define CFG_CHECK_H

#include "data/cfg_file.h"
#include "data/data_check.h"

/* Whether the cfg has a section [yolo], [region] or [detection]. */
int cfg_is_detector(const cfg_file *cfg);

/* The classes of the first of these sections, and of label files for it; zeros where there is none. Adds a problem
 * where a head has none, or the heads have different numbers, or map= cannot be read. */
detector_classes cfg_classes(const cfg_file *cfg, problems *list);

/* Adds a problem where the cfg does not begin with [net], and then returns 1; where subdivisions= does not divide
 * batch=, and where the input is not of 3 channels or has no pixels. Prints a note where a batch is a single image. */
int check_sizes(const cfg_file *cfg, problems *list);

/* Adds every problem of [net] to `list`, and prints a note about what is strange, but may be meant. A classifier may
 * have no max_batches, and then trains without an end. */
void check_net_section(const cfg_file *cfg, int is_detector, problems *list);

/* Adds a problem where the .data file has tree= and the cfg an [ols], or no tree= of its own, or there is no such file.
 */
void check_tree(const cfg_file *cfg, const char *data_file, problems *list);

#endif
