/* What a .data file says about evaluation: the classes, their names, and the images of its `valid` list. */
#ifndef VALID_DATA_H
#define VALID_DATA_H

#include "data/lists.h"

#include "darknet.h"

typedef struct {
    int classes; /* as the data file says */
    text_lines names, images;
    char *names_file;
} valid_data;

/* Returns 0, or 1 after one line on stderr. Free with valid_data_free, in either case. Whether there are as many names
 * as classes is for the caller to see. */
int valid_data_read(const char *path, valid_data *data);
void valid_data_free(valid_data *data);

/* Frees what read_data_cfg returned, for which Darknet has nothing. */
void free_data_options(list *options);

#endif
